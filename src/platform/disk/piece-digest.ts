import { createHash, hash, type Hash } from "node:crypto";
import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { DigestPlan, PieceDigests } from "../../ports/hasher.ts";

export const SHA1_BYTES = 20;
export const NODE_BYTES = 32;

const ZEROS = new Uint8Array(1024 * 1024);

/**
 * Hashes one piece, fed in order. Feeding all of it at once is the fast case: OpenSSL's one-shot
 * call costs a third less than a stream of small updates.
 */
export class PieceDigester {
  readonly #plan: DigestPlan;
  #fed = 0;
  #sha1: Hash | undefined;
  #v1: Uint8Array | undefined;
  readonly #leaves: Uint8Array;
  #leafCount = 0;
  readonly #blocks: Uint8Array[] = [];

  constructor(plan: DigestPlan) {
    this.#plan = plan;
    const leafCount = plan.v2 ? Math.ceil(plan.v2.bytes / BLOCK_BYTES) : 0;
    this.#leaves = new Uint8Array(leafCount * NODE_BYTES);
  }

  /**
   * @param bytes - Every feed but the last holds whole blocks. Padding at the end need not be fed.
   */
  feed(bytes: Uint8Array): void {
    const { v1Bytes, v2, blocks } = this.#plan;
    if (v1Bytes !== undefined) {
      if (this.#fed === 0 && bytes.length === v1Bytes) this.#v1 = hash("sha1", bytes, "buffer");
      else (this.#sha1 ??= createHash("sha1")).update(bytes);
    }
    if (v2) this.#feedLeaves(bytes.subarray(0, Math.max(0, v2.bytes - this.#fed)));
    if (blocks) {
      for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
        this.#blocks.push(hash("sha1", bytes.subarray(at, at + BLOCK_BYTES), "buffer"));
      }
    }
    this.#fed += bytes.length;
  }

  finish(): PieceDigests {
    return {
      v1: this.#finishV1(),
      v2: this.#plan.v2 && reduceLeaves(this.#leaves, this.#leafCount, this.#plan.v2.leafWidth),
      blocks: this.#plan.blocks ? Uint8Array.from(Buffer.concat(this.#blocks)) : undefined,
    };
  }

  #feedLeaves(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const leaf = hash("sha256", bytes.subarray(at, at + BLOCK_BYTES), "buffer");
      this.#leaves.set(leaf, this.#leafCount * NODE_BYTES);
      this.#leafCount += 1;
    }
  }

  #finishV1(): Uint8Array | undefined {
    const { v1Bytes } = this.#plan;
    if (v1Bytes === undefined || this.#v1) return this.#v1;
    const sha1 = this.#sha1 ?? createHash("sha1");
    for (let left = v1Bytes - this.#fed; left > 0; left -= ZEROS.length) {
      sha1.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
    }
    return sha1.digest();
  }
}

/**
 * Reduces leaves, in place, to the node that covers `width` of them (BEP 52).
 *
 * @param nodes - `count` hashes; the missing ones up to `width` stand for leaves of zero bytes.
 */
function reduceLeaves(nodes: Uint8Array, count: number, width: number): Uint8Array {
  let left = count;
  for (let level = 0; 1 << level < width; level += 1) {
    const pairs = Math.ceil(left / 2);
    for (let pair = 0; pair < pairs; pair += 1) {
      const start = pair * 2 * NODE_BYTES;
      const whole = pair * 2 + 1 < left;
      const input = whole
        ? nodes.subarray(start, start + 2 * NODE_BYTES)
        : Buffer.concat([nodes.subarray(start, start + NODE_BYTES), padNode(level)]);
      nodes.set(hash("sha256", input, "buffer"), pair * NODE_BYTES);
    }
    left = pairs;
  }
  return nodes.slice(0, NODE_BYTES);
}

const PAD_NODES: Uint8Array[] = [new Uint8Array(NODE_BYTES)];

/** The root of a tree of `level` levels over leaves of zero bytes. */
function padNode(level: number): Uint8Array {
  for (let next = PAD_NODES.length; next <= level; next += 1) {
    const below = PAD_NODES[next - 1]!;
    PAD_NODES.push(hash("sha256", Buffer.concat([below, below]), "buffer"));
  }
  return PAD_NODES[level]!;
}
