import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  openSync,
  closeSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Bitfield } from "../../src/base/bitfield.ts";
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
const FOLDERS: readonly {
  readonly what: string;
  /** Below the root of the download; "" is the root itself. */
  readonly folder: string;
  readonly take: (folder: string, kept: string) => void;
  readonly bring: (folder: string, kept: string) => void;
  readonly loses: boolean;
}[] = [
  ...["", "content"].flatMap((folder) => {
    const where = folder === "" ? "the root" : "the folder in the root";
    const remove = (path: string, kept: string): void => {
      cpSync(path, kept, { recursive: true });
      rmSync(path, { recursive: true });
    };
    return [
      {
        what: `${where} is removed, and a copy put back`,
        folder,
        take: remove,
        bring: (path: string, kept: string) => cpSync(kept, path, { recursive: true }),
        loses: false,
      },
      {
        what: `${where} is removed, and made anew, empty`,
        folder,
        take: remove,
        bring: (path: string) => mkdirSync(path),
        loses: true,
      },
      {
        what: `${where} is renamed, and put back`,
        folder,
        take: (path: string, kept: string) => renameSync(path, kept),
        bring: (path: string, kept: string) => renameSync(kept, path),
        loses: false,
      },
      {
        what: `${where} is renamed, and a copy put back`,
        folder,
        take: (path: string, kept: string) => renameSync(path, kept),
        bring: (path: string, kept: string) => cpSync(kept, path, { recursive: true }),
        loses: false,
      },
    ];
  }),
  {
    what: "the folder in the root is replaced by an empty one at once",
    folder: "content",
    take: (path, kept) => {
      renameSync(path, kept);
      mkdirSync(path);
    },
    bring: () => undefined,
    loses: true,
  },
];
for (const { what, folder, take, bring, loses } of FOLDERS) {
  // A download that is faster than the watch notices it when it seems complete.
  for (const [when, speed] of [
    ["early", 20],
    ["at the end", 5],
  ] as const) {
    test(`STO-5: ${what}, noticed ${when}`, OPTIONS, async (t) => {
      const made = await makeTorrent(t, { files: { "a.bin": 2 * MIB, "b.bin": 4 * MIB } });
      const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 4 * MIB } });
      const engine = await startEngine(t, { speed });
      const root = join(temporaryFolder(t), "download");
      const download = leech(t, engine, made, { root, peers: [seeder.address] });
      const path = join(root, folder);
      const kept = join(temporaryFolder(t), "kept");
      // Both files exist: the folder is not created again for one of them.
      await download.when("piece", ({ piece }) => piece < (2 * MIB) / PIECE);
      await download.when("piece", ({ piece }) => piece >= (2 * MIB) / PIECE);
      take(path, kept);
      const { state } = await download.when("state", (event) => event.state.kind === "waiting");
      assert.ok(state.kind === "waiting" && state.cause === "disk-error");
      assert.match(state.message, /is not there$/);
      assert.ok(!download.events.some((event) => event.kind === "complete"));
      bring(path, kept);
      await download.when("complete");
      assertSame(made, root);
      const kinds = download.events.map((event) => event.kind);
      assert.ok(!kinds.includes("peer-banned"), "nobody is to blame");
      if (loses) assert.ok(kinds.includes("piece-lost"), "what is not there is not claimed");
    });
  }
}

const BACK: readonly [string, (path: string, kept: string) => void][] = [
  ["as it was", (path, kept) => renameSync(kept, path)],
  [
    "as an older copy",
    (path, kept) => {
      const copy = readFileSync(kept);
      copy.fill(0, copy.length / 2);
      writeFileSync(path, copy);
    },
  ],
  ["empty", (path) => writeFileSync(path, "")],
];
for (const [how, bring] of BACK) {
  test(
    `STO-5: a file is taken away in the middle of a download, and comes back ${how}`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: { "a.bin": 3 * MIB, "b.bin": 5 * MIB } });
      const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 8 * MIB } });
      let looks = 0;
      let looked = (): void => undefined;
      const engine = await startEngine(t, {
        speed: 10,
        settings: { resumeIntervalMs: 1_000 },
        wrap: (disk) => ({
          open: (layout) => {
            const content = disk.open(layout);
            const watch = content.watch!;
            const stamp = watch.stamp.bind(watch);
            watch.stamp = (onDone) => {
              looks += 1;
              looked();
              stamp(onDone);
            };
            return content;
          },
        }),
      });
      const download = leech(t, engine, made, {
        peers: [seeder.address],
        saveResume: () => undefined,
      });
      const path = join(download.root, "content", "b.bin");
      const kept = join(temporaryFolder(t), "kept");
      await download.when("piece", ({ piece }) => piece > (3 * MIB) / PIECE);
      renameSync(path, kept);
      const { state } = await download.when("state", (event) => event.state.kind === "waiting");
      assert.ok(state.kind === "waiting" && state.message === `${path} is not there`);
      const enough = looks + 4;
      await new Promise<void>((resolve) => {
        looked = () => looks >= enough && resolve();
      });
      assert.deepEqual(download.torrent.state, state, "it goes on to wait");
      assert.equal(existsSync(path), false, "nothing is put in its place");
      assert.ok(!download.events.some((event) => event.kind === "complete"));
      bring(path, kept);
      await download.when("complete");
      assertSame(made, download.root);
      const kinds = download.events.map((event) => event.kind);
      assert.ok(!kinds.includes("peer-banned"), "nobody is to blame");
      if (how === "as it was") assert.ok(!kinds.includes("piece-lost"), "nothing was lost");
      else assert.ok(kinds.includes("piece-lost"), "what is not there is not claimed");
    },
  );
}

test("STO-5: a disk that fails while files that are back are judged", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 8 * MIB });
  const seeder = await startSeed(t, made, { settings: { upBytesPerSecond: 8 * MIB } });
  let checks = 0;
  const engine = await startEngine(t, {
    speed: 10,
    wrap: (disk) => ({
      open: (layout) => {
        const content = disk.open(layout);
        const { judge } = content;
        const check = judge.check.bind(judge);
        judge.check = ({ pieces, onPiece, onDone }) => {
          checks += 1;
          const message = "the disk failed";
          const failure = { kind: "failure", code: "EIO", path: layout.root, message } as const;
          if (checks > 1) return check({ pieces, onPiece, onDone });
          return check({
            pieces: new Bitfield(pieces.length),
            onPiece,
            onDone: () => onDone(failure),
          });
        };
        return content;
      },
    }),
  });
  const download = leech(t, engine, made, { peers: [seeder.address] });
  const path = join(download.root, "content");
  const kept = join(temporaryFolder(t), "kept");
  await download.when("piece", ({ piece }) => piece > 0);
  renameSync(path, kept);
  await download.when("state", ({ state }) => state.kind === "waiting");
  cpSync(kept, path);
  await download.when("complete");
  assertSame(made, download.root);
  assert.ok(checks > 1, "they are judged again");
  const lost = download.events.filter(({ kind }) => kind === "piece-lost");
  assert.equal(lost.length, 0, "what could not be read is not lost");
});

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
