import assert from "node:assert/strict";
import { request as open, type RequestOptions } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout } from "node:timers/promises";
import { assembleTorrent } from "../../../src/metainfo/assemble-torrent.ts";
import { HUB_DATABASE } from "../../../src/commands/hub-folder.ts";
import { controlSocketIn, runtimeIn } from "../../../src/config/places.ts";
import { loadConfig } from "../../../src/config/load-config.ts";
import { initHub } from "../../../src/daemon/init-hub.ts";
import { runHub } from "../../../src/daemon/run-hub.ts";
import { SILENT_LOG } from "../../../src/ports/log.ts";
import { seededRandom } from "../../../src/sim/seeded-random.ts";
import { makeSimTorrent } from "../../../src/sim/sim-torrent.ts";
import type { ApiDocument } from "./api-document.ts";

const PASSWORD = "a harbour full of fog";
/** An answer that takes longer is a hang, also on a machine that is busy. */
const LIMIT_MS = 20_000;
/** Without a write for so long, what a request has begun is done. */
const QUIET_MS = 10;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Figures that are saved now and then, whoever asks for what. */
const RESTLESS: ReadonlySet<string> = new Set([
  "settings",
  "registered_totals",
  "principal_totals",
]);

export interface ApiRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

export interface ApiAnswer {
  readonly status: number;
  readonly type: string;
  /** Empty for a stream, which is ended after its head. */
  readonly text: string;
}

/** A whole hub in this process, with a publication, a draft, a fetch, a token and a transfer. */
export interface ApiWorld {
  readonly document: ApiDocument;
  /** Of one thing of each kind, by the beginning of its path below `/api/v1`. */
  readonly ids: ReadonlyMap<string, string>;
  readonly folder: string;
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** All rows of the database, without those that change by themselves. */
  state(): string;
  /** Changes when somebody has written into the database. */
  version(): number;
  /** Waits until what was accepted is done, such as a move. */
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** @param folder - Empty; everything is in it. */
export async function openApiWorld(folder: string): Promise<ApiWorld> {
  const dataDir = join(folder, "data");
  await initHub({ dataDir, adminName: "ann", password: PASSWORD, wantsToken: false });
  const config = loadConfig({
    env: {},
    overrides: {
      dataDir,
      port: 0,
      engine: { port: 0 },
      tracker: { udpPort: 0 },
      discovery: { dht: false, lsd: false },
      router: { mapPorts: false },
      transfers: { folder: join(folder, "downloads") },
    },
  });
  const hub = await runHub(config, SILENT_LOG);
  const { origin, host } = new URL(hub.url);
  const socketPath = controlSocketIn(runtimeIn(dataDir));
  let cookie = "";
  const send = ({ method, path, headers = {}, body }: ApiRequest): Promise<ApiAnswer> => {
    // The control routes are asked at the socket, whose caller needs no account: that is what takes time.
    const isControl = /^\/api\/v1\/(transfers|node)/.test(path) && !path.includes("/events");
    const { hostname, port } = new URL(origin);
    const where = isControl ? { socketPath } : { host: hostname, port };
    const own = isControl ? {} : { host, origin, cookie };
    return exchange(
      { ...where, method, path, headers: { ...own, ...headers }, agent: false },
      body,
    );
  };
  const json = async (method: string, path: string, value?: unknown): Promise<unknown> => {
    const headers: Record<string, string> =
      value === undefined ? {} : { "content-type": "application/json" };
    const body = value === undefined ? undefined : JSON.stringify(value);
    const answer = await send({ method, path, headers, body });
    assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.text === "" ? undefined : (JSON.parse(answer.text) as unknown);
  };
  const signedIn = await fetch(`${origin}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json", origin },
    body: JSON.stringify({ name: "ann", password: PASSWORD }),
  });
  cookie = signedIn.headers
    .getSetCookie()
    .map((each) => each.split(";")[0])
    .join("; ");
  const ids = await somethingOfEach(json, send);
  const document = (await json("GET", "/api/v1/openapi.json")) as ApiDocument;
  const database = new DatabaseSync(join(dataDir, HUB_DATABASE), { readOnly: true });
  const version = (): number =>
    Number(Object.values(database.prepare("pragma data_version").get()!)[0]);
  const chores = database.prepare("select id from transfers where chore is not null");
  return {
    document,
    ids,
    folder,
    send,
    state: () => rowsOf(database),
    version,
    settled: async () => {
      for (let before = -1; before !== version() || chores.all().length > 0;) {
        before = version();
        await setTimeout(QUIET_MS);
      }
    },
    stop: async () => {
      database.close();
      await hub.stop();
    },
  };
}

async function somethingOfEach(
  json: (method: string, path: string, value?: unknown) => Promise<unknown>,
  send: ApiWorld["send"],
): Promise<ReadonlyMap<string, string>> {
  const idOf = (value: unknown): string => String((value as { readonly id: unknown }).id);
  const declared = (name: string) => ({ name, folder: false, files: [{ path: name, size: 5 }] });
  const published = (await json("POST", "/api/v1/drafts", declared("talk.txt"))) as {
    readonly id: string;
    readonly uploadPath: string;
  };
  const uploaded = await send({
    method: "PATCH",
    path: published.uploadPath,
    headers: {
      "tus-resumable": "1.0.0",
      "upload-offset": "0",
      "content-type": "application/offset+octet-stream",
    },
    body: "12345",
  });
  assert.equal(uploaded.status, 204, uploaded.text);
  const draft = idOf(await json("POST", "/api/v1/drafts", declared("draft.txt")));
  const magnet = `magnet:?xt=urn:btih:${"7".repeat(40)}`;
  const fetching = idOf(await json("POST", "/api/v1/fetches", { magnet }));
  const token = idOf(await json("POST", "/api/v1/tokens", { name: "a token" }));
  const made = makeSimTorrent({
    random: seededRandom(3),
    name: "film.bin",
    size: 100_000,
    pieceLength: 16_384,
    kind: "v1",
  });
  const { infoBytes } = made.metainfo.info;
  const added = await send({
    method: "POST",
    path: "/api/v1/transfers/torrent?stopped=true",
    headers: { "content-type": "application/x-bittorrent" },
    body: assembleTorrent({ infoBytes, pieceLayers: new Map(), trackers: [] }),
  });
  assert.equal(added.status, 201, added.text);
  return new Map([
    ["torrents", published.id],
    ["drafts", draft],
    ["fetches", fetching],
    ["tokens", token],
    ["transfers", idOf(JSON.parse(added.text))],
  ]);
}

async function exchange(options: RequestOptions, body: ApiRequest["body"]): Promise<ApiAnswer> {
  const giveUp = new AbortController();
  const answered = new Promise<ApiAnswer>((resolve, reject) => {
    const asking = open(options, (answer) => {
      const status = answer.statusCode ?? 0;
      const type = answer.headers["content-type"] ?? "";
      if (type.startsWith("text/event-stream")) {
        answer.destroy();
        resolve({ status, type, text: "" });
        return;
      }
      const chunks: Buffer[] = [];
      let length = 0;
      answer.on("data", (chunk: Buffer) => {
        length += chunk.length;
        if (length <= ANSWER_BYTES_MAX) chunks.push(chunk);
      });
      answer.once("error", reject);
      answer.once("end", () => resolve({ status, type, text: Buffer.concat(chunks).toString() }));
    });
    asking.once("error", reject);
    giveUp.signal.addEventListener("abort", () => asking.destroy());
    asking.end(body);
  });
  const late = setTimeout(LIMIT_MS, undefined, { signal: giveUp.signal }).then(
    () => Promise.reject(new Error(`no answer within ${LIMIT_MS} ms`)),
    () => new Promise<never>(() => undefined),
  );
  try {
    return await Promise.race([answered, late]);
  } finally {
    giveUp.abort();
  }
}

function rowsOf(database: DatabaseSync): string {
  const tables = database
    .prepare("select name from sqlite_master where type = 'table' order by name")
    .all()
    .map(({ name }) => String(name))
    .filter((name) => !name.startsWith("sqlite_") && !RESTLESS.has(name));
  return tables
    .map((name) => {
      const statement = database.prepare(`select * from "${name}"`);
      statement.setReadBigInts(true);
      const rows = statement.all().map((row) => Object.values(row).map(wordOf).join(" "));
      return [name, ...rows].join("\n");
    })
    .join("\n");
}

function wordOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
}
