import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { parseTrackerPath } from "../../src/announce/tracker-path.ts";
import { Accounts } from "../../src/accounts/accounts.ts";
import { FORM_TOKEN_FIELD, type Page } from "../../src/api/pages.ts";
import { concatBytes, toHex } from "../../src/base/bytes.ts";
import { infohashKey } from "../../src/base/infohash.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Slab, SlabPool } from "../../src/ports/content.ts";
import { type Log, type LogFields, SILENT_LOG } from "../../src/ports/log.ts";
import { UNCOUNTED } from "../../src/ports/outside-faults.ts";
import { Catalogue } from "../../src/publish/catalogue.ts";
import type { EverseedPeers } from "../../src/publish/everseed.ts";
import type { Damage } from "../../src/publish/content-faults.ts";
import { DataFolder } from "../../src/publish/data-folder.ts";
import { DraftUploads } from "../../src/publish/draft-uploads.ts";
import { Fetches } from "../../src/publish/fetches.ts";
import { Finisher } from "../../src/publish/finisher.ts";
import { Publications } from "../../src/publish/publications.ts";
import { Publisher } from "../../src/publish/publisher.ts";
import { SlabLine } from "../../src/publish/slab-line.ts";
import { SpaceAccount } from "../../src/publish/space-account.ts";
import { StoredContents } from "../../src/publish/stored-contents.ts";
import { TorrentAdoption } from "../../src/publish/torrent-adoption.ts";
import { TorrentLibrary } from "../../src/publish/torrent-library.ts";
import { TorrentVersions } from "../../src/publish/torrent-versions.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { Turns } from "../../src/publish/turns.ts";
import { MemoryFiles } from "../../src/sim/memory-files.ts";
import { openStore } from "../../src/store/open-store.ts";
import { DirectDownloads } from "../../src/hub/direct-downloads.ts";
import { Hub } from "../../src/hub/hub.ts";
import type { HubParts } from "../../src/hub/hub-parts.ts";
import type { NodeStatus } from "../../src/api/node.ts";
import type { ReachParts } from "../../src/api/reach.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { ReachSettings } from "../../src/daemon/reach-settings.ts";
import { HandEngine } from "./hand-engine.ts";
import { KeptItems } from "./kept-items.ts";

// A hub on a disk in memory, for the tests of this room. It is called as a plain function.

export const PASSWORD = "correct horse battery";
export const HOST = "127.0.0.1:8420";

class Pool implements SlabPool {
  lentBytes = 0;
  readonly limitBytes = 64 * 1024 * 1024;
  take(bytes: number): Slab {
    this.lentBytes += bytes;
    return { view: new Uint8Array(bytes) };
  }
  give(slab: Slab): void {
    this.lentBytes -= slab.view.length;
  }
}

/** Timers fire when the test says so; timers that only yield to others fire by themselves. */
export class HandClock implements Clock {
  wall = Date.now();
  readonly #fires = new Set<() => void>();
  nowMs = () => this.wall;
  wallMs = () => this.wall;
  startTimer(delayMs: number, fire: () => void) {
    if (delayMs === 0) {
      const immediate = setImmediate(fire);
      return { cancel: () => clearImmediate(immediate) };
    }
    this.#fires.add(fire);
    return { cancel: () => void this.#fires.delete(fire) };
  }
  fireAll(): void {
    const fires = [...this.#fires];
    this.#fires.clear();
    for (const fire of fires) fire();
  }
}

export interface Call {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer> | ReadableStream;
  readonly json?: unknown;
  readonly form?: Record<string, string>;
  readonly remoteAddress?: string;
  readonly localAddress?: string;
}

const NODE_STATUS: NodeStatus = {
  version: "0.0.0",
  pid: 7,
  supervised: false,
  startedAt: "2026-11-30T10:00:00Z",
  preset: "hub",
  dataFolder: "/data",
  configFile: "/data/everseed.yaml",
  socket: "/data/run/control.sock",
  peerPort: 8421,
  webPort: 8420,
  udpPort: 8420,
  services: [],
};

export type World = Awaited<ReturnType<typeof hubWorld>>;

/** @param setUp - Create the administrator `ann`; otherwise setup is open. */
export async function hubWorld(t: TestContext, options: { setUp?: boolean } = {}) {
  const store = await openStore(":memory:");
  const disk = new MemoryFiles();
  const clock = new HandClock();
  const folder = new DataFolder("/data");
  const turns = new Turns(clock);
  const library = new TorrentLibrary({ files: disk, folder, log: SILENT_LOG, turns });
  const { torrents, removedTorrents, drafts } = store;
  const random = {
    below: (bound: number) => Math.floor(Math.random() * bound),
    bytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
  };
  const logged: string[] = [];
  /** Lines at level info. */
  const notes: (readonly [message: string, fields: LogFields | undefined])[] = [];
  const log: Log = {
    ...SILENT_LOG,
    info: (message, fields) => notes.push([message, fields]),
    error: (message, fields) => logged.push(`${message} ${JSON.stringify(fields)}`),
  };
  const count = { seeds: 1, leechers: 0, completed: 0 };
  const limits = { uploadBytesMax: 1e9, pieceBytesMax: 32 * 1024 * 1024 };
  const trackers = [`http://${HOST}/announce`];
  const fetched = new Set<string>();
  const swarms = {
    register: () => undefined,
    unregister: () => undefined,
    setFetched: (infohash: Uint8Array, isFetched: boolean) => {
      if (isFetched) fetched.add(infohashKey(infohash));
      else fetched.delete(infohashKey(infohash));
    },
    setWhole: () => undefined,
    count: () => count,
  };
  const accounts = new Accounts({
    db: store.db,
    accounts: store.accounts,
    settings: store.settings,
    secret: "0123456789abcdef".repeat(4),
    siteUrl: `http://${HOST}`,
    passwords: {
      hash: async (password) => `hash of ${password}`,
      verify: async (hash, password) => hash === `hash of ${password}`,
    },
    clock,
    random,
    log,
  });
  const contents = new StoredContents({
    torrents,
    library,
    folder,
    files: disk,
    content: disk,
    slabs: new SlabLine(new Pool()),
    sums: store.fileSums,
    crc32,
    turns,
    clock,
    log,
    report: (row, piece, intact) => void judged.push({ id: row.id, piece, intact }),
  });
  const keptItems = new KeptItems();
  const versions = new TorrentVersions({
    versions: store.torrentVersions,
    torrents,
    signatures: new NodeSignatures(),
    keeper: () => keptItems.keeper,
  });
  const publications = new Publications({
    torrents,
    removed: removedTorrents,
    drafts,
    copies: store.fileCopies,
    library,
    swarms,
    everseed: { release: async () => undefined },
    contents,
    versions,
    folder,
    files: disk,
    clock,
    log,
  });
  const finisher = new Finisher({
    publications,
    torrents,
    drafts,
    sharing: { handlePublished: () => undefined },
    swarms,
    everseed: { isDamaged: () => false, replace: (_id, replace) => replace() },
    folder,
    turns,
    files: disk,
    clock,
    log,
    trackers,
  });
  const space = new SpaceAccount({ drafts, folder, files: disk });
  const publisher = new Publisher({
    space,
    drafts,
    uploads: new DraftUploads({
      drafts,
      folder,
      files: disk,
      content: disk,
      slabs: new SlabLine(new Pool()),
      turns,
      clock,
      log: SILENT_LOG,
    }),
    finisher,
    folder,
    files: disk,
    clock,
    random,
    log,
    limits,
    turns,
  });
  const judged: { id: string; piece: number; intact: boolean }[] = [];
  let siteName = "Harbour";
  const reachParts: ReachParts = {
    encryption: { state: "works", words: "Here.", remedy: null, plain: 1, header: 2, rc4: 3 },
  };
  const reachSettings = await ReachSettings.load(
    {
      config: loadConfig({ env: {}, overrides: { engine: { connectionsMax: 100 } } }),
      origins: new Map([["engine.connectionsMax", "file"]]),
    },
    store.settings,
    log,
  );
  const damage: { now: Damage | null } = { now: null };
  const lookedAt: string[] = [];
  const dhtSwarms: { now: ReturnType<HubParts["dhtSwarms"]["known"]>; readonly asked: string[] } = {
    now: undefined,
    asked: [],
  };
  const everseedPeers: { now: EverseedPeers | undefined } = { now: undefined };
  const engine = new HandEngine();
  const restartFetches = (): Fetches =>
    new Fetches({
      fetches: store.fetches,
      torrents,
      space,
      swarms,
      adoption: new TorrentAdoption({
        torrents,
        swarms,
        publications,
        sharing: { handlePublished: () => undefined },
        folder,
        files: disk,
        clock,
        trackers,
      }),
      engine,
      hasher: {
        measure: () => Promise.reject(new Error("nobody fetches a v2 torrent by a link here")),
      },
      folder,
      files: disk,
      clock,
      random,
      log,
      bytesMax: limits.uploadBytesMax,
    });
  const fetches = restartFetches();
  const parts: HubParts = {
    accounts,
    publisher,
    publications,
    versions,
    fetches,
    catalogue: new Catalogue({ torrents, drafts, library, folder, turns }),
    turns,
    contents,
    swarms,
    dhtSwarms: {
      look: ({ v1, v2 }) => {
        dhtSwarms.asked.push(toHex((v1 ?? v2)!));
        return dhtSwarms.now;
      },
      known: () => dhtSwarms.now,
    },
    everseed: () => ({ uploadBytesPerSecond: 0, uploaded: 0, damage: damage.now }),
    peers: () => everseedPeers.now,
    partialCopies: () => undefined,
    downloads: new DirectDownloads(clock),
    lookAt: (id) => void lookedAt.push(id),
    site: {
      version: "0.0.0",
      name: () => siteName,
      rename: async (name) => void (siteName = name),
      publicUrl: undefined,
      url: `http://${HOST}`,
      namesWebSeeds: () => true,
      hosts: new Set(["hub.example"]),
      trackers,
      dataFolder: "/data",
      freeBytes: async () => disk.free,
    },
    activity: () => ({
      startedAt: "2026-11-30T10:00:00Z",
      everseed: { uploaded: 3, downloaded: 2, peers: 1 },
      tracker: { swarms: 4, peers: 5, udpPort: 6 },
    }),
    control: { node: () => NODE_STATUS, reload: async () => ({ atOnce: [], afterRestart: [] }) },
    reach: {
      view: () => ({ parts: reachParts, settings: reachSettings.view() }),
      change: (change) => reachSettings.change(change),
    },
    limits,
    renderer: async () => ({
      // The content of the page, without its markup.
      render: async (page) => JSON.stringify(page),
    }),
    pageAssets: { scripts: ["/assets/app.js"], ownScripts: {}, styles: ["/assets/app.css"] },
    assets: new Map([
      [
        "/assets/app.js",
        { type: "text/javascript", bytes: new Uint8Array([1, 2]), gzip: new Uint8Array([3]) },
      ],
    ]),
    tracker: ({ url }) =>
      parseTrackerPath(new URL(url).pathname) ? new Response("d8:intervali720ee") : undefined,
    files: disk,
    clock,
    random,
    log,
    faults: UNCOUNTED,
    isDiskFull: () => false,
  };
  const hub = new Hub(parts);
  const setupKey = await accounts.openSetup();
  const userId = options.setUp === false ? "" : await accounts.createAdministrator("ann", PASSWORD);
  t.after(async () => {
    hub.close();
    await publisher.stop();
    await publications.stop();
    await fetches.stop();
    await store.close();
  });

  async function call(path: string, options: Call = {}): Promise<Response> {
    const headers = new Headers({ host: HOST, ...options.headers });
    let body = options.body;
    if (options.json !== undefined) {
      headers.set("content-type", "application/json");
      body = JSON.stringify(options.json);
    }
    if (options.form) {
      headers.set("content-type", "application/x-www-form-urlencoded");
      body = new URLSearchParams(await withToken(options.form, headers)).toString();
    }
    const method = options.method ?? (body === undefined ? "GET" : "POST");
    const request = new Request(`http://${headers.get("host")}${path}`, {
      method,
      headers,
      ...(body !== undefined && { body, duplex: "half" }),
    });
    return hub.handle(request, {
      remoteAddress: options.remoteAddress ?? "127.0.0.1",
      localAddress: options.localAddress ?? "127.0.0.1",
    });
  }

  /** The request of a browser that has loaded the form's page; a form that has a token keeps it. */
  async function withToken(
    form: Record<string, string>,
    headers: Headers,
  ): Promise<Record<string, string>> {
    if (FORM_TOKEN_FIELD in form || !(headers.has("cookie") || headers.has("origin"))) return form;
    const cookie = headers.get("cookie");
    const credentials = { cookie, authorization: null, userAgent: null, address: "127.0.0.1" };
    const { value } = await accounts.identify(credentials);
    const { token, cookies } = accounts.forms.issue(value, cookie);
    const sent = [cookie, ...cookies.map((each) => each.split(";")[0])];
    headers.set("cookie", sent.filter((each) => each !== null).join("; "));
    return { ...form, [FORM_TOKEN_FIELD]: token };
  }

  /** The cookie header after signing in. */
  async function signIn(name = "ann"): Promise<string> {
    const response = await call("/api/v1/session", { json: { name, password: PASSWORD } });
    assert.equal(response.status, 200);
    return cookieOf(response);
  }

  /** The headers of a program with a new token. */
  async function program(scope: "publish" | "admin" = "publish"): Promise<Record<string, string>> {
    const { token } = await accounts.createToken(userId, { name: "t", scope, expiresInDays: 1 });
    return { authorization: `Bearer ${token}` };
  }

  async function page(path: string, options: Call = {}): Promise<Page> {
    const response = await call(path, options);
    assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
    return (await response.json()) as Page;
  }

  /** Publishes through the API. @returns The torrent's id. */
  async function publish(
    contents: Record<string, Uint8Array>,
    more: Record<string, unknown> = {},
  ): Promise<string> {
    const headers = await program();
    const files = Object.entries(contents).map(([path, bytes]) => ({ path, size: bytes.length }));
    const declared = await call("/api/v1/drafts", {
      headers,
      json: { name: "talks", folder: true, files, ...more },
    });
    const draft = (await declared.json()) as {
      id: string;
      order: number[];
      uploadPath: string;
      state: string;
    };
    assert.equal(declared.status, 201, JSON.stringify(draft));
    if (draft.state === "published") return draft.id;
    const bytes = concatBytes(draft.order.map((index) => Object.values(contents)[index]!));
    const response = await call(draft.uploadPath, {
      method: "PATCH",
      headers: { ...headers, ...tus(0) },
      body: new Uint8Array(bytes),
    });
    assert.equal(response.status, 204, await response.text());
    return draft.id;
  }

  return {
    hub,
    call,
    page,
    signIn,
    program,
    publish,
    parts,
    disk,
    clock,
    store,
    accounts,
    setupKey,
    userId,
    logged,
    notes,
    judged,
    engine,
    keptItems,
    /** What the DHT counts, and the infohashes that it was asked about. */
    dhtSwarms,
    /** What a hub would have when it restarts on the same disk. */
    restartFetches,
    /** Infohashes, in hexadecimal, that the tracker was told are being fetched. */
    fetched,
    count,
    damage,
    everseedPeers,
    lookedAt,
  };
}

/** Headers of a tus PATCH. */
export function tus(offset: number): Record<string, string> {
  return {
    "tus-resumable": "1.0.0",
    "upload-offset": String(offset),
    "content-type": "application/offset+octet-stream",
  };
}

export function cookieOf(response: Response): string {
  return response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(";")[0])
    .join("; ");
}

export async function problemOf(response: Response): Promise<{ status: number; code: string }> {
  const { error } = (await response.json()) as { error: { code: string } };
  return { status: response.status, code: error.code };
}
