import assert from "node:assert/strict";
import { test } from "node:test";
import { Bitfield } from "../base/bitfield.ts";
import { Geometry } from "../base/geometry.ts";
import { finish } from "../base/work.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { FileStamp } from "../ports/content.ts";
import { judgeDiskInSteps } from "./content-layout.ts";
import type { ResumeState } from "./session-contract.ts";

const PIECE = 16_384;
/** Pieces 0 and 1 are of the first file, 2 is of both, 3 and 4 of the second. */
const LENGTHS = [2.5 * PIECE, 2.5 * PIECE];
const files = LENGTHS.map((length, index) => ({
  path: ["t", String(index)],
  offset: index * length,
  length,
  pad: false,
  executable: false,
  hidden: false,
}));
const INFO: TorrentInfo = {
  kind: "v1",
  infohashes: { v1: new Uint8Array(20) },
  infoBytes: new Uint8Array(0),
  name: "t",
  folder: true,
  geometry: new Geometry({ pieceLength: PIECE, files, aligned: false }),
  files,
  private: false,
};

const SAVED_AT = 1_000_000;
const INTERVAL = 5_000;
const THERE: FileStamp = { size: LENGTHS[0]!, mtimeMs: 500, inode: 7 };
const OTHER: FileStamp = { ...THERE, inode: 8 };
const ABSENT: FileStamp = { size: -1, mtimeMs: 0, inode: 0 };
const OUR_WRITE = { ...THERE, mtimeMs: SAVED_AT + INTERVAL };
const LATE_WRITE = { ...THERE, mtimeMs: SAVED_AT + 60_000 };

function pieces(...indexes: number[]): Bitfield {
  const bitfield = new Bitfield(INFO.geometry.pieceCount);
  for (const index of indexes) bitfield.add(index);
  return bitfield;
}

function resume(clean: boolean, have: Bitfield, stamps = [THERE, OTHER]): ResumeState {
  const partial = [{ piece: 0, blocks: new Bitfield(1) }];
  return { have, stamps, clean, savedAtMs: SAVED_AT, partial, uploaded: 0, downloaded: 0 };
}

interface Case {
  readonly name: string;
  readonly mode?: "seed" | "download";
  readonly stamps: readonly [FileStamp, FileStamp];
  readonly resume?: ResumeState;
  readonly have: readonly number[];
  readonly judged: readonly number[];
  readonly doubtful: readonly number[];
  readonly partial?: number;
}
const ALL = pieces(0, 1, 2, 3, 4);
const CASES: readonly Case[] = [
  { name: "download, nothing there", stamps: [ABSENT, ABSENT], have: [], judged: [], doubtful: [] },
  {
    name: "download without resume, one file there",
    stamps: [THERE, ABSENT],
    have: [],
    judged: [],
    doubtful: [0, 1, 2],
  },
  {
    name: "seed",
    mode: "seed",
    stamps: [THERE, OTHER],
    have: [0, 1, 2, 3, 4],
    judged: [],
    doubtful: [],
  },
  {
    name: "seed, a file is missing",
    mode: "seed",
    stamps: [ABSENT, OTHER],
    have: [3, 4],
    judged: [],
    doubtful: [],
  },
  {
    name: "STO-6: seed, a file is too short",
    mode: "seed",
    stamps: [{ ...THERE, size: 5 }, OTHER],
    have: [3, 4],
    judged: [],
    doubtful: [0, 1, 2],
  },
  {
    name: "clean, as it was",
    stamps: [THERE, OTHER],
    resume: resume(true, ALL),
    have: [0, 1, 2, 3, 4],
    judged: [0, 1, 2, 3, 4],
    doubtful: [],
  },
  {
    name: "STO-6: clean, another time",
    stamps: [OUR_WRITE, OTHER],
    resume: resume(true, ALL),
    have: [3, 4],
    judged: [3, 4],
    doubtful: [0, 1, 2],
  },
  {
    name: "STO-6: clean, another size",
    stamps: [THERE, { ...OTHER, size: 9 }],
    resume: resume(true, ALL),
    have: [0, 1],
    judged: [0, 1],
    doubtful: [2, 3, 4],
  },
  {
    name: "STO-6: clean, another file of the same name",
    stamps: [{ ...THERE, inode: 1 }, OTHER],
    resume: resume(true, ALL),
    have: [3, 4],
    judged: [3, 4],
    doubtful: [0, 1, 2],
  },
  {
    name: "clean, a file is gone",
    stamps: [ABSENT, OTHER],
    resume: resume(true, ALL),
    have: [3, 4],
    judged: [3, 4],
    doubtful: [],
  },
  {
    name: "STO-1: killed, our own last writes: believed, judged before it is served",
    stamps: [OUR_WRITE, OTHER],
    resume: resume(false, pieces(0, 3)),
    have: [0, 3],
    judged: [3],
    doubtful: [],
  },
  {
    name: "STO-1: killed, then changed by somebody",
    stamps: [LATE_WRITE, OTHER],
    resume: resume(false, pieces(1, 3)),
    have: [3],
    judged: [3],
    doubtful: [1],
    partial: 0,
  },
  {
    name: "STO-2: killed, shorter than it was durable",
    stamps: [{ ...OUR_WRITE, size: 9 }, OTHER],
    resume: resume(false, pieces(1, 3)),
    have: [3],
    judged: [3],
    doubtful: [1],
    partial: 0,
  },
  {
    name: "STO-2: killed, a file came after the resume",
    stamps: [OUR_WRITE, OTHER],
    resume: resume(false, pieces(2, 3), [ABSENT, OTHER]),
    have: [3],
    judged: [3],
    doubtful: [2],
    partial: 0,
  },
  {
    name: "unfinished blocks of a file as it was",
    stamps: [THERE, OTHER],
    resume: resume(false, pieces(3)),
    have: [3],
    judged: [3],
    doubtful: [],
    partial: 1,
  },
];
for (const { name, mode = "download", stamps, resume: last, ...expected } of CASES) {
  test(`what is believed: ${name}`, () => {
    const found = finish(
      judgeDiskInSteps({
        info: INFO,
        stamps,
        resume: last,
        mode,
        resumeIntervalMs: INTERVAL,
        empty: () => pieces(),
      }),
    );
    assert.deepEqual([...found.have.indexes()], expected.have, "have");
    assert.deepEqual([...found.judged.indexes()], expected.judged, "judged");
    assert.deepEqual([...found.doubtful.indexes()], expected.doubtful, "doubtful");
    if (expected.partial !== undefined) assert.equal(found.partial.length, expected.partial);
  });
}

test("how very many files look is judged in steps of some hundred files or some thousand pieces (HUB-27)", () => {
  const FILES = 5_000;
  const many = Array.from({ length: FILES }, (_, index) => ({
    ...files[0]!,
    path: ["t", String(index)],
    offset: index * PIECE,
    length: PIECE,
  }));
  // The last one has very many pieces.
  const PIECES = 100_000;
  many.push({ ...many[0]!, offset: FILES * PIECE, length: PIECES * PIECE });
  let looked = 0;
  let longest = 0;
  const stamps = new Proxy(
    many.map(() => THERE),
    {
      get(target, property, receiver) {
        if (typeof property === "string" && /^\d+$/.test(property)) looked += 1;
        return Reflect.get(target, property, receiver) as unknown;
      },
    },
  );
  const geometry = new Geometry({ pieceLength: PIECE, files: many, aligned: false });
  const work = judgeDiskInSteps({
    info: { ...INFO, files: many, geometry },
    stamps,
    resume: undefined,
    mode: "seed",
    resumeIntervalMs: INTERVAL,
    empty: () => new Bitfield(geometry.pieceCount),
  });
  let steps = 1;
  for (let step = work.next(); ; step = work.next(), steps += 1) {
    longest = Math.max(longest, looked);
    looked = 0;
    if (!step.done) continue;
    assert.equal(step.value.doubtful.count, FILES + PIECES);
    break;
  }
  assert.ok(longest <= 1_024, `${longest} looks at stamps in one step`);
  assert.ok(steps >= FILES / 256 + PIECES / 16_384 - 2, `${steps} steps`);
});
