import assert from "node:assert/strict";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ResumeState } from "../../src/engine/session-contract.ts";
import {
  assertSame,
  leech,
  magnetOf,
  makeTorrent,
  PIECE,
  run,
  startEngine,
  startSeed,
  temporaryFolder,
} from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 30_000 };

const ODD_FILES = {
  "a/empty.txt": 0,
  "a/one-byte.bin": 1,
  "b/one-piece.bin": PIECE,
  "b/block-and-a-bit.bin": 16_385,
  "large.bin": 700_001,
  ...Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`small/${i}.bin`, 100 + i])),
};
const CONTENTS: readonly [string, number | Readonly<Record<string, number>>][] = [
  ["odd files", ODD_FILES],
  ["one file of one byte", 1],
  ["one file of exactly one piece", PIECE],
];
for (const kind of ["v1", "v2", "hybrid"] as const) {
  for (const source of ["torrent", "magnet"] as const) {
    for (const [name, files] of CONTENTS) {
      test(`${kind} by ${source}: ${name}`, OPTIONS, async (t) => {
        const made = await makeTorrent(t, { files, kind });
        const seeder = await startSeed(t, made);
        const engine = await startEngine(t);
        const download = leech(t, engine, made, {
          ...(source === "magnet" && { from: magnetOf(made) }),
          peers: [seeder.address],
        });
        await download.when("complete");
        const stats = download.torrent.stats();
        assert.equal(stats.left, 0);
        assert.equal(stats.doneBytes, stats.wantedBytes);
        // The end waits for pending writes.
        await engine.session.close();
        assertSame(made, download.root);
      });
    }
  }
}

test(
  "MET-19: the info of a private torrent is not given to a peer that has only the link",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: 4 * PIECE, private: true });
    const seeder = await startSeed(t, made);
    const byLink = leech(t, await startEngine(t), made, {
      from: magnetOf(made),
      peers: [seeder.address],
    });
    const byFile = leech(t, await startEngine(t), made, { peers: [seeder.address] });
    await byFile.when("complete");
    assert.equal(byLink.torrent.state.kind, "fetching-metadata");
  },
);

const SELECTABLE = { "1.bin": 100_000, "2.bin": 100_000, "3.bin": 300_000, "4.bin": 10 };
for (const kind of ["v1", "v2", "hybrid"] as const) {
  test(
    `${kind}: only what is selected is on disk; what is chosen later follows`,
    OPTIONS,
    async (t) => {
      const made = await makeTorrent(t, { files: SELECTABLE, kind });
      const seeder = await startSeed(t, made);
      const engine = await startEngine(t, { speed: 10 });
      const download = leech(t, engine, made, {
        peers: [seeder.address],
        select: (info) => info.files.map((file) => file.path.at(-1) === "2.bin"),
      });
      await download.when("complete");
      assertSame(made, download.root, ["content/2.bin"]);
      const before = download.torrent.stats();
      assert.ok(before.left > 0 && before.doneBytes === before.wantedBytes);
      download.events.length = 0;
      download.torrent.setWanted(made.metainfo.info.files.map(() => true));
      await download.when("complete");
      assertSame(made, download.root);
      assert.equal(download.torrent.stats().left, 0);
      await engine.session.close();
      const left = readdirSync(download.root).filter((name) => name.endsWith(".parts"));
      assert.deepEqual(left, [], "nothing of ours stays beside the files");
    },
  );
}

for (const [what, zeros, spoil] of [
  ["nothing but zeros", ["2.bin"], () => undefined],
  [
    "bytes that were lost meanwhile",
    [],
    (root: string) => {
      for (const name of readdirSync(root)) if (name.endsWith(".parts")) rmSync(join(root, name));
    },
  ],
] as const) {
  test(`a file chosen later, all of whose pieces came with others: ${what}`, OPTIONS, async (t) => {
    const files = { "1.bin": 3 * PIECE - 2_000, "2.bin": 1_000 };
    const made = await makeTorrent(t, { files, zeros });
    const seeder = await startSeed(t, made);
    const engine = await startEngine(t, { speed: 10 });
    const download = leech(t, engine, made, {
      peers: [seeder.address],
      select: (info) => info.files.map((file) => file.path.at(-1) === "1.bin"),
    });
    await download.when("complete");
    spoil(download.root);
    download.events.length = 0;
    download.torrent.setWanted([true, true]);
    await download.when("complete");
    assertSame(made, download.root);
  });
}

test(
  "a file of zeros chosen for the next run, whose piece arrived in the last run",
  OPTIONS,
  async (t) => {
    const files = { "1.bin": 3 * PIECE - 2_000, "2.bin": 1_000 };
    const made = await makeTorrent(t, { files, zeros: ["2.bin"] });
    const seeder = await startSeed(t, made);
    const resumes: ResumeState[] = [];
    const first = await startEngine(t);
    const half = leech(t, first, made, {
      peers: [seeder.address],
      select: (info) => info.files.map((file) => file.path.at(-1) === "1.bin"),
      saveResume: (resume) => void resumes.push(resume),
    });
    await half.when("complete");
    await first.session.close();
    const resume = resumes.at(-1)!;
    assert.ok(resume.have.full);
    const options = { root: half.root, resume, peers: [seeder.address] };
    const download = leech(t, await startEngine(t), made, options);
    await download.when("complete");
    assertSame(made, download.root);
  },
);

test(
  "files chosen while the disk is still being checked are the ones that arrive",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: SELECTABLE });
    const seeder = await startSeed(t, made);
    const download = leech(t, await startEngine(t), made, { peers: [seeder.address] });
    assert.equal(download.torrent.state.kind, "checking");
    download.torrent.setWanted(
      made.metainfo.info.files.map((file) => file.path.at(-1) === "3.bin"),
    );
    await download.when("complete");
    assertSame(made, download.root, ["content/3.bin"]);
  },
);

test("files chosen in the middle of a download", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: { ...SELECTABLE, "5.bin": 4 * MIB } });
  const seeder = await startSeed(t, made);
  const download = leech(t, await startEngine(t), made, { peers: [seeder.address] });
  await download.when("piece");
  const { files } = made.metainfo.info;
  download.torrent.setWanted(files.map((file) => file.path.at(-1) === "1.bin"));
  await download.when("complete");
  download.events.length = 0;
  download.torrent.setWanted(files.map(() => true));
  await download.when("complete");
  assertSame(made, download.root);
});

for (const [pieces, pieceLength] of [
  ["longer than all the memory there is", 16 * MIB],
  ["three times as long", 32 * MIB],
] as const) {
  test(`a magnet whose torrent has pieces ${pieces} completes`, OPTIONS, async (t) => {
    const made = await makeTorrent(t, { files: 33 * MIB, pieceLength });
    const seeder = await startSeed(t, made);
    const engine = await startEngine(t, { receiveBytes: 10 * MIB });
    const download = leech(t, engine, made, { from: magnetOf(made), peers: [seeder.address] });
    await download.when("complete");
    assertSame(made, download.root);
  });
}

test(
  "two torrents in one session, in both directions at once, with little memory",
  OPTIONS,
  async (t) => {
    const first = await makeTorrent(t, { files: 6 * MIB, name: "first", pieceLength: MIB });
    const second = await makeTorrent(t, { files: 6 * MIB, name: "second", pieceLength: MIB });
    const here = await startEngine(t, { receiveBytes: 3 * MIB });
    const there = await startEngine(t, { receiveBytes: 3 * MIB });
    run(here, { from: { metainfo: first.metainfo }, root: first.root, mode: "seed" });
    run(there, { from: { metainfo: second.metainfo }, root: second.root, mode: "seed" });
    const comes = leech(t, here, second, { peers: [there.address] });
    const goes = leech(t, there, first, { peers: [here.address] });
    await Promise.all([comes.when("complete"), goes.when("complete")]);
    assertSame(second, comes.root);
    assertSame(first, goes.root);
  },
);

test("rate limits hold, in both directions, and can be removed", OPTIONS, async (t) => {
  const made = await makeTorrent(t, { files: 2 * MIB });
  for (const side of ["seed", "leecher"] as const) {
    const limits = { upBytesPerSecond: 256 * 1024 };
    const seeder = await startSeed(t, made, { settings: side === "seed" ? limits : {} });
    const engine = await startEngine(t);
    const download = leech(t, engine, made, {
      peers: [seeder.address],
      ...(side === "leecher" && { downBytesPerSecond: 256 * 1024 }),
    });
    await download.when("piece");
    const startMs = performance.now();
    // Without a limit this arrives within some hundredths of a second.
    await download.when("piece", () => download.torrent.stats().doneBytes >= 1.25 * MIB);
    const seconds = (performance.now() - startMs) / 1000;
    // The burst and the bytes in transit may pass at once, and no more.
    assert.ok(download.torrent.stats().downloaded <= (seconds + 1) * 256 * 1024 + 256 * 1024);
    seeder.session.setLimits({ upBytesPerSecond: 0 });
    download.torrent.setLimits({ downBytesPerSecond: 0 });
    await download.when("complete");
    assertSame(made, download.root);
  }
});

test(
  "a closed session accepts no torrent; the same torrent is not accepted twice",
  OPTIONS,
  async (t) => {
    const made = await makeTorrent(t, { files: PIECE });
    const engine = await startEngine(t);
    const options = {
      from: { metainfo: made.metainfo },
      root: temporaryFolder(t),
      mode: "download",
    } as const;
    engine.session.add(options);
    assert.throws(() => engine.session.add(options), { code: "duplicate-torrent" });
    await engine.session.close();
    assert.throws(() => engine.session.add(options), { code: "closed" });
  },
);
