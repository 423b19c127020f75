import { concatBytes, equalBytes } from "../base/bytes.ts";
import { sha1, sha256 } from "../base/hash.ts";
import { type Infohashes, wireInfohash } from "../base/infohash.ts";
import { metadataBlockCount } from "./ut-metadata.ts";
import { WireError } from "./wire-error.ts";

/** Blocks requested from one peer at a time. */
const IN_FLIGHT_MAX = 4;
/** After this time a block is requested from another peer too. */
const BLOCK_TIMEOUT_MS = 10_000;
/** An attempt that brings no block for this long is replaced by another. */
const STALL_MS = 20_000;
/** A peer that rejects is not asked for this long. */
const REFUSAL_MS = 30_000;
/** No attempt lasts longer than this; while all peers claim the same size, each block adds this much. */
const ATTEMPT_MS = 30_000;
const ATTEMPT_MS_PER_BLOCK = 2000;

export interface MetadataAssemblerOptions {
  /** From the magnet link. The result must match all of them. */
  readonly infohashes: Infohashes;
  /** Larger claims are refused. */
  readonly bytesMax: number;
}

export type MetadataProgress<Peer> =
  | { readonly kind: "incomplete" }
  | { readonly kind: "complete"; readonly infoBytes: Uint8Array }
  /** `liar` sent every byte alone; `undefined` when several peers are suspected. */
  | { readonly kind: "mismatch"; readonly liar: Peer | undefined };

interface Source {
  /** The size the peer claims in its extension handshake. */
  readonly size: number;
  /** It contributed to an attempt whose hash was wrong. */
  suspected: boolean;
  /** Attempts it led that came to nothing. */
  stalls: number;
  refusesUntilMs: number;
}

/** One try to collect all blocks, for one claimed size. */
interface Attempt<Peer> {
  readonly size: number;
  /** When set, no other peer is asked. */
  readonly alone: Peer | undefined;
  readonly leader: Peer;
  readonly blocks: (Uint8Array | undefined)[];
  readonly senders: (Peer | undefined)[];
  readonly requests: Map<number, { peer: Peer; atMs: number }>;
  blocksLeft: number;
  startedMs: number;
  progressMs: number;
}

/**
 * Collects the info dictionary from peers of a magnet link (BEP 9) until its hash is right.
 *
 * At first every peer that claims the same size helps. When the result is wrong, the bad block cannot be identified:
 * all senders are suspected, and from then on only one peer is asked at a time, the unsuspected first, so that each
 * further failure identifies a liar (WIR-10).
 *
 * Without attempt -> together -> complete, or wrong -> without attempt;
 * without attempt -> alone -> complete, wrong, stalled or left -> without attempt.
 */
export class MetadataAssembler<Peer> {
  readonly #infohashes: Infohashes;
  readonly #bytesMax: number;
  readonly #sources = new Map<Peer, Source>();
  #attempt: Attempt<Peer> | undefined;
  #together = true;

  constructor(options: MetadataAssemblerOptions) {
    this.#infohashes = options.infohashes;
    this.#bytesMax = options.bytesMax;
  }

  /**
   * Handles a peer that serves ut_metadata and told the length of the dictionary.
   *
   * @throws {WireError} `bad-extension` when the size exceeds our limit or differs from the peer's earlier claim.
   */
  handleOffer(peer: Peer, size: number): void {
    const known = this.#sources.get(peer);
    if (known && known.size === size) return;
    if (known) throw new WireError("bad-extension", `metadata_size ${known.size}, then ${size}`);
    if (!Number.isSafeInteger(size) || size < 1 || size > this.#bytesMax) {
      throw new WireError("bad-extension", `metadata_size ${size}, at most ${this.#bytesMax}`);
    }
    this.#sources.set(peer, { size, suspected: false, stalls: 0, refusesUntilMs: 0 });
  }

  handleGone(peer: Peer): void {
    this.#sources.delete(peer);
    const attempt = this.#attempt;
    if (!attempt) return;
    if (attempt.alone === peer) this.#attempt = undefined;
    else this.#forgetRequests(attempt, peer);
  }

  /**
   * Returns the next request for a peer. Call it for every peer that made an offer, until it returns `undefined`,
   * after every event and once a second.
   *
   * @returns The index of a block to ask this peer for.
   */
  nextRequest(peer: Peer, nowMs: number): number | undefined {
    const source = this.#sources.get(peer);
    if (!source || nowMs < source.refusesUntilMs) return undefined;
    const attempt = this.#currentAttempt(nowMs);
    if (!attempt || attempt.size !== source.size) return undefined;
    if (attempt.alone !== undefined && attempt.alone !== peer) return undefined;
    const index = this.#pickBlock(attempt, peer, nowMs);
    if (index !== undefined) attempt.requests.set(index, { peer, atMs: nowMs });
    return index;
  }

  /**
   * Handles a block that arrived. `decodeMetadataMessage` has checked its length.
   *
   * @param block - Copied.
   * @throws {WireError} `bad-extension` when the peer contradicts its earlier claim of the size.
   */
  handleBlock(
    peer: Peer,
    message: { readonly index: number; readonly totalSize: number; readonly block: Uint8Array },
    nowMs: number,
  ): MetadataProgress<Peer> {
    const source = this.#sources.get(peer);
    if (!source) return { kind: "incomplete" };
    if (message.totalSize !== source.size) {
      throw new WireError("bad-extension", `total_size ${message.totalSize} of ${source.size}`);
    }
    const attempt = this.#attempt;
    if (!attempt || attempt.size !== source.size || attempt.blocks[message.index]) {
      return { kind: "incomplete" };
    }
    // In an attempt with one peer, blocks from others are dropped. In a shared attempt, late and unrequested blocks
    // are welcome.
    if (attempt.alone !== undefined && attempt.alone !== peer) return { kind: "incomplete" };
    attempt.requests.delete(message.index);
    attempt.blocks[message.index] = Uint8Array.from(message.block);
    attempt.senders[message.index] = peer;
    attempt.progressMs = nowMs;
    attempt.blocksLeft -= 1;
    return attempt.blocksLeft > 0 ? { kind: "incomplete" } : this.#judge(attempt);
  }

  handleReject(peer: Peer, nowMs: number): void {
    const source = this.#sources.get(peer);
    if (!source) return;
    source.refusesUntilMs = nowMs + REFUSAL_MS;
    const attempt = this.#attempt;
    if (!attempt) return;
    if (attempt.alone === peer) {
      source.stalls += 1;
      this.#attempt = undefined;
    } else this.#forgetRequests(attempt, peer);
  }

  #judge(attempt: Attempt<Peer>): MetadataProgress<Peer> {
    const infoBytes = concatBytes(attempt.blocks.filter((block) => block !== undefined));
    this.#attempt = undefined;
    if (isNamedBy(this.#infohashes, infoBytes)) return { kind: "complete", infoBytes };
    this.#together = false;
    const senders = new Set(attempt.senders.filter((sender) => sender !== undefined));
    if (senders.size === 1) {
      const [liar] = senders;
      if (liar !== undefined) this.#sources.delete(liar);
      return { kind: "mismatch", liar };
    }
    for (const sender of senders) {
      const source = this.#sources.get(sender);
      if (source) source.suspected = true;
    }
    return { kind: "mismatch", liar: undefined };
  }

  #currentAttempt(nowMs: number): Attempt<Peer> | undefined {
    const attempt = this.#attempt;
    if (attempt) {
      const limitMs = this.#hasRival(attempt)
        ? ATTEMPT_MS
        : ATTEMPT_MS + ATTEMPT_MS_PER_BLOCK * attempt.blocks.length;
      const stalled = nowMs - attempt.progressMs >= STALL_MS;
      if (!stalled && nowMs - attempt.startedMs < limitMs) return attempt;
      const source = this.#sources.get(attempt.leader);
      if (source) source.stalls += 1;
    }
    this.#attempt = this.#startAttempt(attempt, nowMs);
    return this.#attempt;
  }

  /** True when another peer claims another size: one of the two lies, and may send slowly to keep us busy. */
  #hasRival(attempt: Attempt<Peer>): boolean {
    for (const { size } of this.#sources.values()) if (size !== attempt.size) return true;
    return false;
  }

  #startAttempt(previous: Attempt<Peer> | undefined, nowMs: number): Attempt<Peer> | undefined {
    const leader = this.#pickLeader(nowMs);
    if (leader === undefined) return undefined;
    const { size } = this.#sources.get(leader)!;
    const blockCount = metadataBlockCount(size);
    const fresh: Attempt<Peer> = {
      size,
      leader,
      alone: this.#together ? undefined : leader,
      blocks: Array.from({ length: blockCount }, () => undefined),
      senders: Array.from({ length: blockCount }, () => undefined),
      requests: new Map(),
      blocksLeft: blockCount,
      startedMs: nowMs,
      progressMs: nowMs,
    };
    if (!previous || !this.#together || previous.size !== size) return fresh;
    // The same size with another leader: the blocks received so far are still good.
    return {
      ...fresh,
      blocks: previous.blocks,
      senders: previous.senders,
      blocksLeft: previous.blocksLeft,
    };
  }

  /**
   * Picks the peer that wasted the least time, unsuspected peers first, and among equals the one that offered first.
   */
  #pickLeader(nowMs: number): Peer | undefined {
    let best: Peer | undefined;
    let bestRank = Number.POSITIVE_INFINITY;
    for (const [peer, source] of this.#sources) {
      if (nowMs < source.refusesUntilMs) continue;
      const rank = source.stalls * 2 + (source.suspected ? 1 : 0);
      if (rank >= bestRank) continue;
      best = peer;
      bestRank = rank;
    }
    return best;
  }

  #pickBlock(attempt: Attempt<Peer>, peer: Peer, nowMs: number): number | undefined {
    let inFlight = 0;
    for (const request of attempt.requests.values()) if (request.peer === peer) inFlight += 1;
    if (inFlight >= IN_FLIGHT_MAX) return undefined;
    for (let index = 0; index < attempt.blocks.length; index += 1) {
      if (attempt.blocks[index]) continue;
      const request = attempt.requests.get(index);
      if (!request) return index;
      if (request.peer !== peer && nowMs - request.atMs >= BLOCK_TIMEOUT_MS) return index;
    }
    return undefined;
  }

  #forgetRequests(attempt: Attempt<Peer>, peer: Peer): void {
    for (const [index, request] of attempt.requests) {
      if (request.peer === peer) attempt.requests.delete(index);
    }
  }
}

/** Twenty bytes alone may be a v2 infohash that somebody cut: a mutable item (BEP 46) has no room for more. */
function isNamedBy({ v1, v2 }: Infohashes, infoBytes: Uint8Array): boolean {
  if (v2) return equalBytes(sha256(infoBytes), v2) && (!v1 || equalBytes(sha1(infoBytes), v1));
  if (!v1) return true;
  return equalBytes(sha1(infoBytes), v1) || equalBytes(wireInfohash(sha256(infoBytes)), v1);
}
