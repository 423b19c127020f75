import { Bitfield } from "../../../src/base/bitfield.ts";
import { concatBytes, equalBytes } from "../../../src/base/bytes.ts";
import { sha1 } from "../../../src/base/hash.ts";
import { decodeResume, encodeResume } from "../../../src/engine/resume-codec.ts";
import type { ResumeState } from "../../../src/engine/session-contract.ts";
import { Refused, type FuzzTarget } from "../target.ts";

const CHECKSUM_BYTES = 20;

function bits(length: number, ...set: readonly number[]): Bitfield {
  const made = new Bitfield(length);
  for (const index of set) made.add(index);
  return made;
}

const STATES: readonly ResumeState[] = [
  {
    have: bits(11, 0, 3, 10),
    stamps: [
      { size: 40_000, mtimeMs: 1_700_000_000_000.125, inode: 77 },
      { size: 0, mtimeMs: 0, inode: 2 ** 60 },
    ],
    savedAtMs: 1_700_000_000_123,
    clean: false,
    partial: [{ piece: 4, blocks: bits(4, 1, 2) }],
    uploaded: 2 ** 40,
    downloaded: 1,
  },
  {
    have: bits(8, 0, 1, 2, 3, 4, 5, 6, 7),
    stamps: [],
    savedAtMs: 0,
    clean: true,
    partial: [],
    uploaded: 0,
    downloaded: 0,
  },
];

/** The bytes after the checksum, which is corrected each time: otherwise hardly any mutant would be decoded. */
const resume: FuzzTarget = {
  name: "resume",
  corpus: STATES.map((state) => encodeResume(state).subarray(CHECKSUM_BYTES)),
  refusals: [Refused],
  run: (body) => {
    const state = decodeResume(concatBytes([sha1(body), body]));
    if (!state) throw new Refused();
    for (const index of state.have.indexes()) {
      if (index >= state.have.length) throw new Error("a piece past the end");
    }
    const again = decodeResume(encodeResume(state));
    if (!again) throw new Error("what was read is not written so that it is read");
    const same =
      equalBytes(again.have.bytes, state.have.bytes) &&
      again.have.length === state.have.length &&
      again.stamps.length === state.stamps.length &&
      again.partial.length === state.partial.length &&
      again.uploaded === state.uploaded &&
      again.downloaded === state.downloaded;
    if (!same) throw new Error("no round trip");
  },
};

export const targets: readonly FuzzTarget[] = [resume];
