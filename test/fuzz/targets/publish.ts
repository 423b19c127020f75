import { concatBytes, equalBytes } from "../../../src/base/bytes.ts";
import { decodeJournal, encodeJournal, recordBytes } from "../../../src/publish/hash-journal.ts";
import { Refused, type FuzzTarget } from "../target.ts";

const PIECES = 5;
const KINDS = [
  { v1: true, v2: false },
  { v1: false, v2: true },
  { v1: true, v2: true },
];
const RECORDS = Array.from({ length: PIECES }, (_, piece) => ({
  v1: new Uint8Array(20).fill(piece),
  v2: new Uint8Array(32).fill(0x80 + piece),
}));

/**
 * The first byte selects the kinds, the rest is the file. A journal of the records that were read decodes to the
 * same.
 */
const journal: FuzzTarget = {
  name: "hash-journal",
  corpus: KINDS.map((kinds, index) =>
    concatBytes([Uint8Array.of(index), encodeJournal(RECORDS, kinds, 0)]),
  ),
  refusals: [Refused],
  run: (input) => {
    const kinds = KINDS[(input[0] ?? 0) % KINDS.length]!;
    const file = input.subarray(1);
    const records = decodeJournal(file, kinds, PIECES);
    if (records.length > PIECES) throw new Error("more records than pieces");
    const length = records.length * recordBytes(kinds);
    if (!equalBytes(encodeJournal(records, kinds, 0), file.subarray(0, length))) {
      throw new Error("no round trip");
    }
    if (records.length === 0) throw new Refused();
  },
};

export const targets: readonly FuzzTarget[] = [journal];
