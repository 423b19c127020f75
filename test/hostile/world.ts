import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { wireInfohashes } from "../../src/base/infohash.ts";
import { type PeerAddress, tcpAddress } from "../../src/base/peer-address.ts";
import type {
  AddTorrent,
  EngineSettings,
  EngineTorrent,
  TorrentEvent,
  WakeTorrent,
} from "../../src/engine/session-contract.ts";
import type { StreamDecorators } from "../../src/engine/stream-decorator.ts";
import { Session } from "../../src/engine/session.ts";
import { buildMetainfo, planTorrent } from "../../src/metainfo/create.ts";
import type { Metainfo, TorrentKind } from "../../src/metainfo/metainfo.ts";
import { formatMagnet, parseMagnet } from "../../src/metainfo/magnet.ts";
import { parseMetainfo } from "../../src/metainfo/parse-metainfo.ts";
import { NodeClock } from "../../src/platform/node-clock.ts";
import { NodeDisk } from "../../src/platform/node-disk.ts";
import { NodeRandom } from "../../src/platform/node-random.ts";
import { TcpNet } from "../../src/platform/tcp-net.ts";
import type { Clock, Timer } from "../../src/ports/clock.ts";
import type { ContentSource } from "../../src/ports/content.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { temporaryFolder as temporaryFolderOf } from "../fixtures/temporary-folder.ts";

/** Real engines on loopback, and torrents for them. */

export const PIECE = 65_536;
const MIB = 1024 * 1024;

export interface Made {
  readonly metainfo: Metainfo;
  /** The .torrent file. */
  readonly torrent: Uint8Array;
  /** The folder that holds the content as a seed expects it. */
  readonly root: string;
  readonly bytes: ReadonlyMap<string, Buffer>;
  /** The 20 bytes of infohash in its handshakes. */
  readonly infohash: Uint8Array;
}

/** A running engine in this world. */
export interface Engine {
  readonly session: Session;
  readonly disk: NodeDisk;
  readonly endpoint: Endpoint;
  readonly address: PeerAddress;
}

/** A torrent in an engine, with all its events. */
export interface Running {
  readonly torrent: EngineTorrent;
  readonly events: TorrentEvent[];
  readonly root: string;
  /** Resolves with the first event of this kind that `accept` takes, including earlier events. */
  when<Kind extends TorrentEvent["kind"]>(
    kind: Kind,
    accept?: (event: Extract<TorrentEvent, { kind: Kind }>) => boolean,
  ): Promise<Extract<TorrentEvent, { kind: Kind }>>;
}

export function temporaryFolder(t: TestContext): string {
  return temporaryFolderOf(t, "everseed-hostile-");
}

/** The same bytes for the same name, and different bytes for different names. */
export function bytesFor(name: string, length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  return createHash("shake256", { outputLength: length }).update(name).digest();
}

export interface MakeOptions {
  /** Paths below the torrent's folder, and bytes; a number means one file without a folder. */
  readonly files: number | Readonly<Record<string, number>>;
  readonly kind?: TorrentKind;
  readonly pieceLength?: number;
  readonly private?: boolean;
  readonly name?: string;
  /** Paths of files that hold nothing but zeros. */
  readonly zeros?: readonly string[];
  /** A hybrid whose hash of this kind is wrong for piece 1, so that it contradicts the other. */
  readonly wrong?: "v1" | "v2";
}

/** Writes content below a temporary folder and creates its torrent. */
export async function makeTorrent(t: TestContext, options: MakeOptions): Promise<Made> {
  const { kind = "v1", pieceLength = PIECE, name = "content" } = options;
  const root = join(temporaryFolder(t), "source");
  const single = typeof options.files === "number";
  const lengths = typeof options.files === "number" ? { "": options.files } : options.files;
  const bytes = new Map<string, Buffer>();
  const below = single ? root : join(root, name);
  const onDisk = (path: string): string => (single ? name : path);
  mkdirSync(below, { recursive: true });
  for (const [path, length] of Object.entries(lengths)) {
    const isZeros = options.zeros?.includes(path) === true;
    const content = isZeros ? Buffer.alloc(length) : bytesFor(`${name}/${path}`, length);
    const file = join(below, onDisk(path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    bytes.set(single ? name : `${name}/${path}`, content);
  }
  const plan = planTorrent({
    name,
    kind,
    pieceLength,
    files: Object.entries(lengths).map(([path, length]) => ({
      path: path === "" ? [] : path.split("/"),
      length,
    })),
  });
  const disk = new NodeDisk({ workers: 1 });
  const measured = await disk.measure({
    layout: {
      root: below,
      geometry: plan.geometry,
      files: plan.files.map(({ path, executable }) => ({
        path: onDisk(path.join("/")),
        executable,
      })),
    },
    v1: kind !== "v2",
    v2: kind !== "v1",
  });
  await disk.close();
  if (options.wrong === "v1") measured.v1![20]! ^= 1;
  if (options.wrong === "v2") measured.v2![32]! ^= 1;
  const built = buildMetainfo(plan, measured, { private: options.private });
  const metainfo = parseMetainfo(built.torrent);
  return {
    metainfo,
    torrent: built.torrent,
    root,
    bytes,
    infohash: wireInfohashes(metainfo.info.infohashes)[0]!,
  };
}

export interface EngineOptions {
  readonly settings?: Partial<EngineSettings>;
  readonly wake?: WakeTorrent;
  readonly decorators?: StreamDecorators;
  readonly host?: string;
  readonly receiveBytes?: number;
  /** How many seconds pass for the engine in one real second. */
  readonly speed?: number;
  /** Between the engine and the disk. */
  readonly wrap?: (disk: NodeDisk) => ContentSource;
}

/** Starts an engine that ends with the test. */
export async function startEngine(t: TestContext, options: EngineOptions = {}): Promise<Engine> {
  const disk = new NodeDisk({ workers: 1 });
  const session = new Session({
    ports: {
      clock: new FastClock(options.speed ?? 1),
      random: new NodeRandom(),
      transports: [new TcpNet()],
      content: options.wrap?.(disk) ?? disk,
      receiveSlabs: disk.createSlabPool(options.receiveBytes ?? 32 * MIB),
      sendSlabs: disk.createSlabPool(16 * MIB),
      log: SILENT_LOG,
    },
    settings: options.settings,
    wake: options.wake,
    decorators: options.decorators,
  });
  t.after(async () => {
    await session.close();
    await disk.close();
  });
  const host = options.host ?? "127.0.0.1";
  const port = await session.listen({ host, port: 0 });
  const endpoint = { address: host, port };
  return { session, disk, endpoint, address: tcpAddress(endpoint) };
}

/** A clock that runs faster, so that no test waits for an interval of ten seconds. */
class FastClock implements Clock {
  readonly #clock = new NodeClock();
  readonly #speed: number;

  constructor(speed: number) {
    this.#speed = speed;
  }

  nowMs(): number {
    return this.#clock.nowMs() * this.#speed;
  }

  wallMs(): number {
    return this.#clock.wallMs();
  }

  startTimer(delayMs: number, fire: () => void): Timer {
    return this.#clock.startTimer(delayMs / this.#speed, fire);
  }
}

/** Adds a torrent and records its events. */
export function run(engine: Engine, options: AddTorrent): Running {
  const events: TorrentEvent[] = [];
  const waiting = new Set<(event: TorrentEvent) => void>();
  const torrent = engine.session.add({
    ...options,
    onEvent: (event) => {
      options.onEvent?.(event);
      events.push(event);
      for (const tell of waiting) tell(event);
    },
  });
  return {
    torrent,
    events,
    root: options.root,
    when: (kind, accept = () => true) =>
      new Promise((resolve) => {
        const judge = (event: TorrentEvent): boolean => {
          if (event.kind !== kind) return false;
          const wanted = event as Parameters<typeof accept>[0];
          if (!accept(wanted)) return false;
          waiting.delete(judge);
          resolve(wanted);
          return true;
        };
        if (!events.some(judge)) waiting.add(judge);
      }),
  };
}

export function seed(engine: Engine, made: Made, options: Partial<AddTorrent> = {}): Running {
  return run(engine, {
    from: { metainfo: made.metainfo },
    root: made.root,
    mode: "seed",
    ...options,
  });
}

/** Downloads to a separate folder. */
export function leech(
  t: TestContext,
  engine: Engine,
  made: Made,
  options: Partial<AddTorrent> = {},
): Running {
  return run(engine, {
    from: { metainfo: made.metainfo },
    root: temporaryFolder(t),
    mode: "download",
    ...options,
  });
}

/** @returns The addresses that were banned. */
export function bannedBy({ events }: Running): Set<string> {
  const banned = new Set<string>();
  for (const event of events) if (event.kind === "peer-banned") banned.add(event.address);
  return banned;
}

export function magnetOf(made: Made): AddTorrent["from"] {
  return { magnet: parseMagnet(formatMagnet({ infohashes: made.metainfo.info.infohashes })) };
}

/** An honest seed in a separate engine. */
export async function startSeed(
  t: TestContext,
  made: Made,
  options: EngineOptions = {},
): Promise<Engine & Running> {
  const engine = await startEngine(t, options);
  return { ...engine, ...seed(engine, made) };
}

/** @param only - Paths that are expected; no others may exist. Default: all. */
export function assertSame(made: Made, root: string, only?: readonly string[]): void {
  for (const [path, bytes] of made.bytes) {
    const file = join(root, path);
    if (only && !only.includes(path)) {
      assert.equal(existsSync(file), false, `${path} was not wanted`);
    } else {
      assert.ok(readFileSync(file).equals(bytes), `${path} differs`);
    }
  }
}

/** Bytes of memory above `before`, after a garbage collection. */
export function rssGrowth(before: number): number {
  return process.memoryUsage().rss - before;
}
