// The path of a block alone, by hand: tools/run node bench/block-path.ts [FOLDER]. One thread, no sockets, no
// disk: a raw seed feeds blocks through decoder, downloader and a judge in memory, and a raw leecher takes as many.
// FOLDER is another copy of the repository, whose engine is measured in turn with this one: only the ratio of two
// figures of one run means something.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { getHeapStatistics } from "node:v8";
import { BLOCK_BYTES } from "../src/base/geometry.ts";
import { wireInfohash } from "../src/base/infohash.ts";
import type { AddTorrent, EngineSession, SessionOptions } from "../src/engine/session-contract.ts";
import { buildMetainfo, planTorrent } from "../src/metainfo/create.ts";
import { parseMetainfo } from "../src/metainfo/parse-metainfo.ts";
import type {
  ByteStore,
  ContentSource,
  FilePlaces,
  FileWatch,
  OpenContent,
  PieceJudge,
  Slab,
  SlabPool,
} from "../src/ports/content.ts";
import { SILENT_LOG } from "../src/ports/log.ts";
import { tcpAddress } from "../src/base/peer-address.ts";
import type { StreamConnection, StreamHandler, PeerTransport } from "../src/ports/net.ts";
import { seededRandom } from "../src/sim/seeded-random.ts";
import { PIECE_HEAD_BYTES, writePieceHead, writeRequest } from "../src/wire/encode-messages.ts";
import { encodeHandshake, HANDSHAKE_BYTES } from "../src/wire/handshake.ts";
import { MESSAGE } from "../src/wire/message-id.ts";

const BLOCKS = 16_384;
const PIECE_BLOCKS = 16;
const PIECE_BYTES = PIECE_BLOCKS * BLOCK_BYTES;
const PIECES = BLOCKS / PIECE_BLOCKS;
const ROUNDS = 60;
/** Rounds during which the engine is still being compiled. */
const WARM_UP = 2;
/** Blocks in one read of a socket. */
const READ_BLOCKS = 8;
/** Requests that the raw leecher keeps open. */
const AHEAD = 250;
const REQUEST_BYTES = 17;
const FRAME_BYTES = PIECE_HEAD_BYTES + BLOCK_BYTES;
const ENDPOINT = { address: "10.0.0.2", port: 6881 };
/** An older engine takes an endpoint for it. */
const REMOTE = { ...tcpAddress(ENDPOINT), ...ENDPOINT };

type MakeSession = (options: SessionOptions) => EngineSession;

const metainfo = (() => {
  const files = [{ path: [], length: PIECES * PIECE_BYTES }];
  const plan = planTorrent({ name: "content", kind: "v1", pieceLength: PIECE_BYTES, files });
  return parseMetainfo(buildMetainfo(plan, { v1: new Uint8Array(PIECES * 20) }).torrent);
})();
const infohash = wireInfohash(metainfo.info.infohashes.v1!);
const peerId = new Uint8Array(20).fill(45);

/** Pending outcomes for the engine: outcomes never arrive inside a call. */
class World {
  nowMs = 1;
  readonly #owed: (() => void)[] = [];
  readonly #timers: { readonly atMs: number; readonly fire: () => void }[] = [];

  owe(outcome: () => void): void {
    this.#owed.push(outcome);
  }

  pay(): void {
    for (let next = this.#owed.shift(); next; next = this.#owed.shift()) next();
  }

  startTimer(delayMs: number, fire: () => void): { cancel(): void } {
    const timer = { atMs: this.nowMs + delayMs, fire };
    this.#timers.push(timer);
    return {
      cancel: () => {
        const index = this.#timers.indexOf(timer);
        if (index >= 0) this.#timers.splice(index, 1);
      },
    };
  }

  /** One millisecond passes. */
  pass(): void {
    this.nowMs += 1;
    for (const timer of this.#timers.filter(({ atMs }) => atMs <= this.nowMs)) {
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.fire();
    }
    this.pay();
  }
}

class Slabs implements SlabPool {
  readonly limitBytes = 64 * 1024 * 1024;
  lentBytes = 0;
  readonly #free = new Map<number, Slab[]>();

  take(bytes: number): Slab | undefined {
    if (this.lentBytes + bytes > this.limitBytes) return undefined;
    this.lentBytes += bytes;
    return this.#free.get(bytes)?.pop() ?? { view: new Uint8Array(bytes) };
  }

  give(slab: Slab): void {
    this.lentBytes -= slab.view.length;
    const free = this.#free.get(slab.view.length);
    if (free) free.push(slab);
    else this.#free.set(slab.view.length, [slab]);
  }
}

/** Reports every piece as intact, without reading it. */
function openContent(world: World, isThere: boolean): OpenContent {
  let size = isThere ? PIECES * PIECE_BYTES : -1;
  const done = { kind: "done" } as const;
  const intact = { kind: "intact" } as const;
  const finish: ByteStore["sync"] = (onDone) => world.owe(() => onDone(done));
  const parts: ByteStore & PieceJudge & FileWatch & FilePlaces = {
    store: (_piece, _slab, _options, onDone) => {
      size = PIECES * PIECE_BYTES;
      world.owe(() => onDone(intact));
    },
    verify: (_piece, _options, onDone) => world.owe(() => onDone(intact)),
    read: (_slab, _runs, onDone) => world.owe(() => onDone(done)),
    write: (_piece, _run, _source, onDone) => world.owe(() => onDone(done)),
    check: ({ onDone }) => {
      world.owe(() => onDone(done));
      return () => undefined;
    },
    ingest: (_piece, _slab, _want, onDone) => world.owe(() => onDone({})),
    sync: finish,
    stamp: (onDone) => world.owe(() => onDone([{ size, mtimeMs: 1, inode: 1 }])),
    reopen: (_lost, onDone) => finish(onDone),
    claim: (_files, onDone) => finish(onDone),
    setAside: (_files, onDone) => finish(onDone),
    createEmpty: finish,
    setWanted: (_wanted, onDone) => finish(onDone),
    finish: (_files, onDone) => finish(onDone),
    close: (onDone) => world.owe(onDone),
  };
  // An older engine finds everything in the content itself.
  return { ...parts, bytes: parts, judge: parts, watch: parts, places: parts };
}

/** The other end of a connection: counts what it receives and sends what the benchmark says. */
abstract class RawPeer implements StreamConnection {
  readonly remote = REMOTE;
  readonly local = undefined;
  bufferedBytes = 0;
  readonly world: World;
  handler: StreamHandler | undefined;
  #greetedBytes = 0;

  constructor(world: World) {
    this.world = world;
  }

  unackedBytes(): number {
    return this.bufferedBytes;
  }

  write(bytes: Uint8Array): void {
    this.bufferedBytes += bytes.length;
    this.world.owe(() => {
      this.bufferedBytes -= bytes.length;
      this.handler!.handleSent(bytes.length);
    });
    const skipped = Math.min(HANDSHAKE_BYTES - this.#greetedBytes, bytes.length);
    this.#greetedBytes += skipped;
    if (skipped < bytes.length) this.take(bytes, skipped);
  }

  say(bytes: Uint8Array, length = bytes.length): void {
    this.handler!.handleBytes(bytes, length);
    this.world.pay();
  }

  greet(): void {
    const flags = { extended: false, fast: true, dht: false, v2: false };
    this.say(encodeHandshake({ ...flags, infohash, peerId }));
  }

  /** Whole messages, as the engine writes them. */
  abstract take(bytes: Uint8Array, from: number): void;

  pauseReading(): void {}
  resumeReading(): void {}
  destroy(): void {}
}

class RawSeed extends RawPeer {
  readonly #asked = new Int32Array(2 * BLOCKS);
  #head = 0;
  #tail = 0;
  readonly #chunk = new Uint8Array(READ_BLOCKS * FRAME_BYTES);

  take(bytes: Uint8Array, from: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = from; at < bytes.length; at += 4 + view.getUint32(at)) {
      if (view.getUint32(at) === 0 || bytes[at + 4] !== MESSAGE.request) continue;
      this.#asked[this.#tail] = view.getUint32(at + 5);
      this.#asked[this.#tail + 1] = view.getUint32(at + 9);
      this.#tail += 2;
    }
  }

  begin(): void {
    this.greet();
    this.say(Uint8Array.of(0, 0, 0, 1, MESSAGE.haveAll, 0, 0, 0, 1, MESSAGE.unchoke));
  }

  /** Answers as many requests as arrive in one read of a socket. @returns How many. */
  answer(): number {
    const count = Math.min(READ_BLOCKS, (this.#tail - this.#head) / 2);
    for (let i = 0; i < count; i += 1) {
      const piece = this.#asked[this.#head]!;
      const begin = this.#asked[this.#head + 1]!;
      this.#head += 2;
      writePieceHead(this.#chunk, i * FRAME_BYTES, { piece, begin, length: BLOCK_BYTES });
    }
    this.say(this.#chunk, count * FRAME_BYTES);
    return count;
  }
}

class RawLeecher extends RawPeer {
  receivedBytes = 0;
  #askedBlocks = 0;

  take(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
  }

  begin(): void {
    this.greet();
    this.say(Uint8Array.of(0, 0, 0, 1, MESSAGE.haveNone, 0, 0, 0, 1, MESSAGE.interested));
  }

  /** @returns False when everything is requested. */
  ask(): boolean {
    const open = this.#askedBlocks - Math.floor(this.receivedBytes / FRAME_BYTES);
    const count = Math.min(AHEAD - open, BLOCKS - this.#askedBlocks);
    const bytes = new Uint8Array(count * REQUEST_BYTES);
    for (let i = 0; i < count; i += 1) {
      const piece = Math.floor(this.#askedBlocks / PIECE_BLOCKS);
      const begin = (this.#askedBlocks % PIECE_BLOCKS) * BLOCK_BYTES;
      writeRequest(bytes, i * REQUEST_BYTES, { piece, begin, length: BLOCK_BYTES });
      this.#askedBlocks += 1;
    }
    if (count > 0) this.say(bytes);
    return this.receivedBytes < BLOCKS * FRAME_BYTES;
  }
}

interface Figures {
  readonly us: number;
  readonly bytes: number;
}

function measure(work: () => void): Figures {
  const before = getHeapStatistics().total_allocated_bytes;
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  const bytes = getHeapStatistics().total_allocated_bytes - before;
  return { us: (user + system) / BLOCKS, bytes: bytes / BLOCKS };
}

async function openSession(
  make: MakeSession,
  world: World,
  transport: PeerTransport,
  add: Pick<AddTorrent, "mode" | "existing">,
): Promise<EngineSession> {
  const content: ContentSource = { open: () => openContent(world, add.mode === "seed") };
  const ports = {
    clock: {
      nowMs: () => world.nowMs,
      wallMs: () => world.nowMs,
      startTimer: (delayMs: number, fire: () => void) => world.startTimer(delayMs, fire),
    },
    random: seededRandom(1),
    transports: [transport],
    // An older engine takes this one.
    net: transport,
    content,
    receiveSlabs: new Slabs(),
    sendSlabs: new Slabs(),
    log: SILENT_LOG,
  };
  const session = make({ ports });
  await session.listen({ host: "10.0.0.1", port: 6881 });
  session.add({ from: { metainfo }, root: "/content", ...add });
  world.pay();
  return session;
}

async function receive(make: MakeSession): Promise<Figures> {
  const world = new World();
  const seed = new RawSeed(world);
  const connect = (_remote: unknown, handler: StreamHandler): StreamConnection => {
    seed.handler = handler;
    return seed;
  };
  // An older engine calls `connect`.
  const net = {
    kind: "tcp" as const,
    listen: () => Promise.resolve({ local: ENDPOINT, close: () => undefined }),
    dial: connect,
    connect,
  };
  const session = await openSession(make, world, net, { mode: "download", existing: "own" });
  const [torrent] = [...session.torrents()];
  torrent!.addPeers([REMOTE]);
  seed.handler!.handleOpen();
  seed.begin();
  const figures = measure(() => {
    for (let left = BLOCKS; left > 0; world.pass()) left -= seed.answer();
  });
  if (torrent!.state.kind !== "seeding") throw new Error(`it is ${torrent!.state.kind}`);
  await close(session, world);
  return figures;
}

async function serve(make: MakeSession): Promise<Figures> {
  const world = new World();
  const leecher = new RawLeecher(world);
  let accept: (connection: StreamConnection) => StreamHandler | undefined = () => undefined;
  const net: PeerTransport = {
    kind: "tcp",
    listen: (options) => {
      accept = options.accept;
      return Promise.resolve({ local: ENDPOINT, close: () => undefined });
    },
    dial: () => {
      throw new Error("a seed dials nobody here");
    },
  };
  const session = await openSession(make, world, net, { mode: "seed" });
  leecher.handler = accept(leecher);
  leecher.begin();
  // The messages before the first block.
  leecher.receivedBytes = 0;
  const figures = measure(() => {
    while (leecher.ask()) world.pass();
  });
  await close(session, world);
  return figures;
}

async function close(session: EngineSession, world: World): Promise<void> {
  let open = true;
  const closed = session.close().then(() => (open = false));
  while (open) {
    world.pass();
    await Promise.resolve();
  }
  await closed;
}

async function load(folder: string): Promise<MakeSession> {
  const file = pathToFileURL(resolve(folder, "src/engine/session.ts")).href;
  const { Session } = (await import(file)) as typeof import("../src/engine/session.ts");
  return (options) => new Session(options);
}

const folders = [resolve(import.meta.dirname, ".."), ...process.argv.slice(2)];
const makes = await Promise.all(folders.map(load));
for (const [name, run] of Object.entries({ received: receive, served: serve })) {
  const figures: Figures[][] = folders.map(() => []);
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    // Each run pays for garbage of the one before it, so that the order alternates.
    const order = round % 2 === 0 ? makes.keys() : [...makes.keys()].toReversed();
    for (const index of order) {
      const each = await run(makes[index]!);
      if (round >= WARM_UP) figures[index]!.push(each);
    }
  }
  for (const [index, folder] of folders.entries()) {
    // The least: whatever else the machine does only adds to it.
    const us = Math.min(...figures[index]!.map((each) => each.us));
    const bytes = Math.min(...figures[index]!.map((each) => each.bytes));
    const ratios = figures[index]!.map((each, round) => each.us / figures[0]![round]!.us);
    console.log(
      `${name}: ${us.toFixed(2)} us, ${bytes.toFixed(0)} bytes a block, ` +
        `${median(ratios).toFixed(3)} of the first   ${folder}`,
    );
  }
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (
    (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2
  );
}
