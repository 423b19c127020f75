import assert from "node:assert/strict";
import {
  cpSync,
  mkdirSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Bitfield } from "../../src/base/bitfield.ts";
import {
  assertSame,
  leech,
  makeTorrent,
  PIECE,
  startEngine,
  startSeed,
  temporaryFolder,
} from "./world.ts";

const MIB = 1024 * 1024;
const OPTIONS = { timeout: 60_000 };

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
