import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { decodeResume } from "../../src/engine/resume-codec.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import type { ResumeState } from "../../src/engine/session-contract.ts";
import type { NodeDisk } from "../../src/platform/node-disk.ts";
import type { ContentSource, OpenContent } from "../../src/ports/content.ts";
import { MESSAGE } from "../../src/wire/message-id.ts";
import { dial, frames, type RawPeer } from "./raw-peer.ts";
import {
  assertSame,
  leech,
  type Made,
  makeTorrent,
  PIECE,
  seed,
  startEngine,
  startSeed,
  temporaryFolder,
} from "./world.ts";

const MIB = 1024 * 1024;
const BLOCK = 16_384;
const OPTIONS = { timeout: 60_000 };
const CHILD = fileURLToPath(new URL("download-child.ts", import.meta.url));
/** EVERSEED_TEST_KILLS=200 is the count that the case demands, for a run at night. */
const KILLS = Number(process.env.EVERSEED_TEST_KILLS ?? 15);

interface Found {
  readonly resumed: boolean;
  readonly have: number;
  readonly checked: number;
}

/** Starts the child; it is killed at the end of the test at the latest. */
function startChild(
  t: TestContext,
  world: { readonly root: string; readonly port: number; readonly openFiles?: number },
): {
  readonly child: ChildProcess;
  readonly found: Promise<Found>;
  readonly ended: Promise<number | null>;
} {
  const torrent = join(world.root, "..", "t.torrent");
  const args = [CHILD, torrent, world.root, String(world.port)];
  const limit = world.openFiles;
  const child =
    limit === undefined
      ? spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
      : spawn("bash", ["-c", `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, ...args], {
          stdio: ["ignore", "pipe", "inherit"],
        });
  t.after(() => child.kill("SIGKILL"));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const found = new Promise<Found>((resolve, reject) => {
    child.on("close", () => reject(new Error("the child ended before it looked at the disk")));
    let text = "";
    child.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(JSON.parse(text) as Found);
    });
  });
  found.catch(() => undefined);
  return { child, found, ended };
}

function readResume(root: string): ResumeState | undefined {
  const name = readdirSync(root).find((file) => file.endsWith(".everseed-resume"));
  return name === undefined ? undefined : decodeResume(readFileSync(join(root, name)));
}

/** Every piece that a resume claims is right, in a torrent of one file. */
function assertClaims(made: Made, root: string, resume: ResumeState): void {
  const expected = made.bytes.get("content")!;
  const there = readFileSync(join(root, "content"));
  for (const piece of resume.have.indexes()) {
    const [start, end] = [piece * PIECE, (piece + 1) * PIECE];
    assert.ok(
      expected.subarray(start, end).equals(there.subarray(start, end)),
      `piece ${piece} is claimed and is not there`,
    );
  }
}

test(
  `STO-1: killed ${KILLS} times, a download claims nothing wrong and reads nothing again`,
  { timeout: 60_000 + KILLS * 3_000 },
  async (t) => {
    const made = await makeTorrent(t, { files: 24 * MIB });
    const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 3 * MIB } });
    const folder = temporaryFolder(t);
    const root = join(folder, "download");
    mkdirSync(root);
    writeFileSync(join(folder, "t.torrent"), made.torrent);
    const world = { root, port: seeder.endpoint.port };
    const random = seededRandom(20_261_121);
    let [resumes, downloads, claimed] = [0, 1, 0];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const { child, found, ended } = startChild(t, world);
      const { resumed, checked } = await found;
      if (resumed) {
        resumes += 1;
        assert.equal(checked, 0, "what the resume says was believed");
      }
      await new Promise((resolve) => setTimeout(resolve, random.below(700)));
      child.kill("SIGKILL");
      await ended;
      const resume = readResume(root);
      if (resume) assertClaims(made, root, resume);
      claimed = resume?.have.count ?? 0;
      if (resume?.have.full !== true || kill === KILLS - 1) continue;
      // It completed between two kills: the next download begins.
      rmSync(root, { recursive: true });
      mkdirSync(root);
      downloads += 1;
    }
    t.diagnostic(`${resumes} resumes in ${downloads} downloads`);
    assert.ok(resumes > KILLS / 3, `${resumes} resumes`);
    seeder.session.setLimits({ upBytesPerSecond: 0 });
    const { found, ended } = startChild(t, world);
    assert.ok((await found).have >= claimed);
    assert.equal(await ended, 0);
    assertSame(made, root);
  },
);

/** A disk on which a power failure destroys everything that was not synced. */
class ForgetfulDisk implements ContentSource {
  readonly #disk: NodeDisk;
  readonly #unsynced = new Set<number>();

  constructor(disk: NodeDisk) {
    this.#disk = disk;
  }

  open(...args: Parameters<NodeDisk["open"]>): OpenContent {
    const content = this.#disk.open(...args);
    const { bytes, judge } = content;
    const store = judge.store.bind(judge);
    const sync = bytes.sync.bind(bytes);
    judge.store = (piece, ...rest) => {
      this.#unsynced.add(piece);
      store(piece, ...rest);
    };
    bytes.sync = (onDone) => {
      const written = [...this.#unsynced];
      sync((outcome) => {
        for (const piece of written) this.#unsynced.delete(piece);
        onDone(outcome);
      });
    };
    return content;
  }

  /** Corrupts the pieces of a file that are not durable. */
  failPower(file: string): void {
    const handle = openSync(file, "r+");
    for (const piece of this.#unsynced)
      writeSync(handle, Buffer.alloc(PIECE), 0, PIECE, piece * PIECE);
    closeSync(handle);
  }
}

test("STO-2: a resume claims only what survives a power failure", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 16 * MIB });
  const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 12 * MIB } });
  let forgetful: ForgetfulDisk | undefined;
  const engine = await startEngine(t, {
    speed: 4,
    settings: { resumeIntervalMs: 1 },
    wrap: (disk) => (forgetful = new ForgetfulDisk(disk)),
  });
  let claims = 0;
  const saved = Promise.withResolvers<ResumeState>();
  const download = leech(t, engine, made, {
    peers: [seeder.address],
    saveResume: (resume) => {
      claims += 1;
      if (claims !== 3) return;
      // The power fails at the moment when the third resume is on disk.
      forgetful!.failPower(join(download.root, "content"));
      saved.resolve(resume);
    },
  });
  const resume = await saved.promise;
  assert.ok(resume.have.count > 0 && !resume.have.full);
  assertClaims(made, download.root, resume);
});

const canMount = process.getuid?.() === 0 && process.platform === "linux";
test(
  "STO-4: a full disk: the torrent waits, reports it, and resumes when there is space",
  {
    ...OPTIONS,
    skip: canMount ? false : "mounting a small disk needs root",
  },
  async (t) => {
    const made = await makeTorrent(t, { files: 2 * MIB });
    const seeder = await startSeed(t, made);
    const disk = temporaryFolder(t);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=3m", "everseed-test", disk], {
        stdio: "ignore",
      });
    } catch {
      t.skip("this machine does not let root mount");
      return;
    }
    try {
      const filler = join(disk, "filler");
      writeFileSync(filler, Buffer.alloc(2 * MIB));
      assert.ok(statfsSync(disk).bavail * statfsSync(disk).bsize < 2 * MIB);
      const engine = await startEngine(t, { speed: 10 });
      const download = leech(t, engine, made, { root: join(disk, "in"), peers: [seeder.address] });
      const { state } = await download.when("state", (event) => event.state.kind === "waiting");
      assert.ok(state.kind === "waiting" && state.cause === "disk-full");
      rmSync(filler);
      await download.when("complete");
      assertSame(made, download.root);
      await engine.session.close();
    } finally {
      execFileSync("umount", ["-l", disk]);
    }
  },
);

test(
  "STO-5: the folder vanishes during a download; another torrent is not affected",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * MIB });
    const healthy = await makeTorrent(t, { files: 2 * MIB, name: "healthy" });
    const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 8 * MIB } });
    const other = await startSeed(t, healthy);
    const engine = await startEngine(t, { speed: 10 });
    const download = leech(t, engine, made, { peers: [seeder.address] });
    await download.when("piece");
    rmSync(download.root, { recursive: true });
    const { state } = await download.when("state", (event) => event.state.kind === "waiting");
    assert.ok(state.kind === "waiting" && state.cause === "disk-error");
    const second = leech(t, engine, healthy, { peers: [other.address] });
    await second.when("complete");
    assertSame(healthy, second.root);
  },
);

/** What is done to the folder below a path, and how it is repaired from a copy. */

test(
  "STO-6: a file is overwritten after it was served: its pieces are judged again",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 4 * PIECE });
    const engine = await startEngine(t, { speed: 20 });
    const subject = seed(engine, made);
    /** Asks over a new connection each time; at the speed of this world some end early. */
    const ask = (piece: number): Promise<"block" | "reject" | "closed"> =>
      new Promise((resolve) => {
        const answer = (peer: RawPeer, kind: "block" | "reject"): void => {
          peer.socket.destroy();
          resolve(kind);
        };
        const asking = dial(t, engine.endpoint, {
          infohash: made.infohash,
          ready: (peer) => peer.send(frames.signal(MESSAGE.interested)),
          unchoke: (peer) => peer.send(frames.request(piece, 0, BLOCK)),
          block: (peer) => answer(peer, "block"),
          reject: (peer) => answer(peer, "reject"),
        });
        void asking.closed.then(() => resolve("closed"));
      });
    while ((await ask(0)) !== "block");
    const changed = Buffer.from(made.bytes.get("content")!);
    changed[9] = changed[9]! ^ 1;
    writeFileSync(join(made.root, "content"), changed);
    // Until the file is checked again, the piece counts as judged.
    while ((await ask(0)) !== "reject");
    assert.equal((await subject.when("piece-lost")).piece, 0);
    while ((await ask(1)) !== "block");
  },
);

test(
  "STO-7: with 64 file descriptors a torrent of 300 files completes",
  {
    ...OPTIONS,
    skip: process.platform === "win32" ? "there is no ulimit" : false,
  },
  async (t) => {
    const files = Object.fromEntries(
      Array.from({ length: 300 }, (_, i) => [`${i % 10}/${i}.bin`, 1_000 + i]),
    );
    const made = await makeTorrent(t, { files });
    const seeder = await startSeed(t, made);
    const folder = temporaryFolder(t);
    const root = join(folder, "download");
    mkdirSync(root);
    writeFileSync(join(folder, "t.torrent"), made.torrent);
    const world = { root, port: seeder.endpoint.port, openFiles: 64 };
    const { ended } = startChild(t, world);
    assert.equal(await ended, 0);
    assertSame(made, root);
  },
);

test(
  "STO-13: a session closed at any moment ends, and its resume is usable",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 8 * MIB, kind: "hybrid" });
    const seeder = await startSeed(t, made);
    const root = temporaryFolder(t);
    const random = seededRandom(13);
    let resume: ResumeState | undefined;
    for (let round = 0; round < 12; round += 1) {
      const engine = await startEngine(t);
      const download = leech(t, engine, made, {
        root,
        resume,
        peers: [seeder.address],
        saveResume: (state) => void (resume = state),
      });
      if (round > 2) await download.when("piece");
      await new Promise((resolve) => setTimeout(resolve, random.below(30)));
      const had = download.torrent.have?.count ?? 0;
      await engine.session.close();
      assert.equal(download.torrent.state.kind, "stopped");
      if (resume) {
        assert.ok(resume.clean && resume.have.count >= had);
        assertClaims(made, root, resume);
      }
      if (resume?.have.full === true) {
        resume = undefined;
        rmSync(join(root, "content"));
      }
    }
  },
);
