import { concatBytes } from "../base/bytes.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { merkleRoot, NODE_BYTES } from "../metainfo/merkle.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  DigestPlan,
  HashedPart,
  Hasher,
  PieceDigests,
  PieceHashing,
} from "../ports/hasher.ts";

/** SHA-1 and SHA-256 on one core, together. */
const BYTES_PER_SECOND = 500 * 1024 * 1024;

/** Computes real hashes, each after the simulated time that a core takes for it. */
export class SimHasher implements Hasher {
  readonly #clock: Pick<Clock, "startTimer">;
  /** Pieces being hashed; each is either finished or cancelled. */
  underWay = 0;

  constructor(clock: Pick<Clock, "startTimer">) {
    this.#clock = clock;
  }

  begin(plan: DigestPlan): PieceHashing {
    const parts: Uint8Array[] = [];
    this.underWay += 1;
    const take = (part: HashedPart, then: () => void): void => {
      const delayMs = (part.length * 1000) / BYTES_PER_SECOND;
      this.#clock.startTimer(delayMs, () => {
        parts.push(...blocksOf(part));
        then();
      });
    };
    return {
      feed: (part, onDone) => take(part, () => onDone({ kind: "done" })),
      finish: (part, onDone) =>
        take(part, () => {
          this.underWay -= 1;
          onDone(digest(concatBytes(parts), plan));
        }),
      cancel: () => {
        this.underWay -= 1;
      },
    };
  }
}

/** Copies the blocks of a part, because its memory is lent for the call only. */
function blocksOf({ slab, length, headBytes }: HashedPart): Uint8Array[] {
  const blocks: Uint8Array[] = [];
  let at = 0;
  for (let begin = 0; begin < length; begin += BLOCK_BYTES) {
    at += headBytes;
    const size = Math.min(BLOCK_BYTES, length - begin);
    blocks.push(slab.view.slice(at, at + size));
    at += size;
  }
  return blocks;
}

/** Hashes the bytes of a piece without padding. */
export function digest(bytes: Uint8Array, { v1Bytes, v2, blocks }: DigestPlan): PieceDigests {
  return {
    v1: v1Bytes === undefined ? undefined : sha1(padded(bytes, v1Bytes)),
    v2:
      v2 &&
      merkleRoot(each(bytes.subarray(0, v2.bytes), NODE_BYTES, sha256), { width: v2.leafWidth }),
    blocks: blocks ? each(bytes, SHA1_BYTES, sha1) : undefined,
  };
}

const SHA1_BYTES = 20;

function padded(bytes: Uint8Array, length: number): Uint8Array {
  const whole = new Uint8Array(length);
  whole.set(bytes);
  return whole;
}

/** One digest for each block. */
function each(
  bytes: Uint8Array,
  digestBytes: number,
  hash: (block: Uint8Array) => Uint8Array,
): Uint8Array {
  const digests = new Uint8Array(Math.ceil(bytes.length / BLOCK_BYTES) * digestBytes);
  for (let block = 0; block * BLOCK_BYTES < bytes.length; block += 1) {
    const from = block * BLOCK_BYTES;
    digests.set(hash(bytes.subarray(from, from + BLOCK_BYTES)), block * digestBytes);
  }
  return digests;
}
