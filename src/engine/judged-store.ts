import { invariant } from "../base/errors.ts";
import { BLOCK_BYTES } from "../base/geometry.ts";
import { digestPlan, expectedHashes, hashFault } from "../base/piece-hashes.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ByteStore,
  CheckOptions,
  ContentLayout,
  DiskFailure,
  DiskOutcome,
  FoundHashes,
  OpenContent,
  PieceFrames,
  PieceJudge,
  PieceVerdict,
  ReadRun,
  Slab,
  SlabPool,
} from "../ports/content.ts";
import type { DigestPlan, Hasher, PieceDigests, PieceHashing } from "../ports/hasher.ts";

/** Pieces are read for judging in parts of this size, so that memory does not grow with the piece length. */
const PART_BYTES = 64 * BLOCK_BYTES;
/** Pieces that a check handles concurrently. */
const CHECKED_AT_ONCE_MAX = 4;

const BLOCKS_ONLY: DigestPlan = { v1Bytes: undefined, v2: undefined, blocks: true };

export interface JudgedStoreOptions {
  readonly layout: Pick<ContentLayout, "root" | "geometry" | "hashes">;
  readonly bytes: ByteStore;
  readonly hasher: Hasher;
  /** For pieces that are judged from the store. Nobody else takes from it. */
  readonly slabs: SlabPool;
  readonly clock: Clock;
}

/** The hashes; `undefined` when bytes of the piece are missing. */
type Digested = PieceDigests | DiskFailure | undefined;

/** Hashes a piece, wherever its bytes are. */
type Digest = (plan: DigestPlan, onDone: (found: Digested) => void) => void;

/**
 * An open content on top of a store of bytes that has no workers of its own: pieces are hashed here, before they are
 * written or after they were read. Nobody else uses the store, so there is nothing to watch, and it has no files.
 */
export class JudgedStore implements OpenContent, ByteStore, PieceJudge {
  readonly bytes: ByteStore = this;
  readonly judge: PieceJudge = this;
  readonly #options: JudgedStoreOptions;
  readonly #partBytes: number;
  /** For each piece that is being judged, the jobs that wait for it. Bounded by the jobs that callers have pending. */
  readonly #lines = new Map<number, (() => void)[]>();
  /** Jobs that wait for memory to read a piece into; at most one for each piece that is being judged. */
  readonly #waiting: ((slab: Slab) => void)[] = [];
  readonly #stopChecks = new Set<() => void>();
  #closing = false;
  #onIdle: (() => void) | undefined;

  constructor(options: JudgedStoreOptions) {
    this.#options = options;
    this.#partBytes = Math.min(PART_BYTES, options.layout.geometry.pieceLength);
    invariant(options.slabs.limitBytes >= this.#partBytes, "a part of a piece fits into memory");
  }

  // ---- Bytes -----------------------------------------------------------------------------------------

  read(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void {
    if (this.#closing) this.#refuse(onDone);
    else this.#options.bytes.read(slab, runs, onDone);
  }

  write(
    piece: number,
    run: { readonly begin: number; readonly length: number },
    source: { readonly slab: Slab; readonly slabOffset: number },
    onDone: (outcome: DiskOutcome) => void,
  ): void {
    if (this.#closing) this.#refuse(onDone);
    else this.#options.bytes.write(piece, run, source, onDone);
  }

  sync(onDone: (outcome: DiskOutcome) => void): void {
    if (this.#closing) this.#refuse(onDone);
    else this.#options.bytes.sync(onDone);
  }

  close(onDone: () => void): void {
    this.#closing = true;
    for (const stop of this.#stopChecks) stop();
    this.#onIdle = () => this.#options.bytes.close(onDone);
    this.#settle();
  }

  // ---- Judging ---------------------------------------------------------------------------------------

  store(
    piece: number,
    slab: Slab,
    options: { readonly digests: boolean },
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    this.#enter(piece, onDone, (end) => {
      this.#clearPadding(piece, slab);
      const digest = this.#digestOf(piece, { slab, headBytes: 0 });
      this.#compare(piece, options.digests ? "always" : "corrupt", digest, (verdict) => {
        if (verdict.kind === "intact") this.#writeWhole(piece, slab, verdict, end);
        else end(verdict);
      });
    });
  }

  verify(
    piece: number,
    options: { readonly digests: boolean; readonly frames?: PieceFrames | undefined },
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    const { digests, frames } = options;
    this.#enter(piece, onDone, (end) => {
      const want = digests ? "always" : "corrupt";
      if (frames) this.#verifyInFrames(piece, want, frames, end);
      else this.#compare(piece, want, this.#digestStored(piece), end);
    });
  }

  check({ pieces, onPiece, onDone }: CheckOptions): () => void {
    const rest = pieces.clone().indexes();
    let underWay = 0;
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      this.#stopChecks.delete(stop);
    };
    const end = (outcome: DiskOutcome): void => {
      if (isStopped) return;
      stop();
      onDone(outcome);
    };
    const next = (): void => {
      while (!isStopped && underWay < CHECKED_AT_ONCE_MAX) {
        const step = rest.next();
        if (step.done) {
          if (underWay === 0) end({ kind: "done" });
          return;
        }
        const piece = step.value;
        underWay += 1;
        this.#checkPiece(piece, (verdict) => {
          underWay -= 1;
          if (isStopped) return;
          if (verdict.kind === "failure") return end(verdict);
          onPiece(piece, verdict.kind === "intact");
          next();
        });
      }
    };
    this.#stopChecks.add(stop);
    this.#later(() => {
      if (this.#closing) end(this.#closedFailure());
      else next();
    });
    return stop;
  }

  ingest(
    piece: number,
    slab: Slab,
    want: { readonly v1: boolean; readonly v2: boolean },
    onDone: (result: FoundHashes | DiskFailure) => void,
  ): void {
    this.#enter(piece, onDone, (end) => {
      const { geometry } = this.#options.layout;
      this.#clearPadding(piece, slab);
      const plan = digestPlan(geometry, piece, { ...want, blocks: false });
      this.#digestOf(piece, { slab, headBytes: 0 })(plan, (found) => {
        invariant(found, "what is in memory is there");
        if ("kind" in found) return end(found);
        const { v1, v2 } = found;
        this.#writeWhole(piece, slab, { ...(v1 && { v1 }), ...(v2 && { v2 }) }, end);
      });
    });
  }

  #checkPiece(piece: number, onDone: (verdict: PieceVerdict) => void): void {
    this.#enter(piece, onDone, (end) => {
      this.#compare(piece, "never", this.#digestStored(piece), end);
    });
  }

  #verifyInFrames(
    piece: number,
    want: "always" | "corrupt",
    frames: PieceFrames,
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    const { geometry } = this.#options.layout;
    const runs: ReadRun[] = [];
    for (let block = 0, at = 0; block < geometry.blockCount(piece); block += 1) {
      const length = geometry.blockSize(piece, block);
      at += frames.headBytes;
      runs.push({ piece, begin: block * BLOCK_BYTES, length, slabOffset: at });
      at += length;
    }
    const digest: Digest = (plan, onDigested) => {
      this.#read(frames.slab, runs, (outcome) => {
        if (outcome.kind === "failure") onDigested(isMissing(outcome) ? undefined : outcome);
        else this.#digestOf(piece, frames)(plan, onDigested);
      });
    };
    this.#compare(piece, want, digest, onDone);
  }

  /** @param blocks - Whether the digests of blocks are wanted. */
  #compare(
    piece: number,
    blocks: "always" | "corrupt" | "never",
    digest: Digest,
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    const { geometry, hashes } = this.#options.layout;
    const expected = expectedHashes(hashes, piece);
    const want = { v1: expected.v1 !== undefined, v2: expected.v2 !== undefined };
    digest(digestPlan(geometry, piece, { ...want, blocks: blocks === "always" }), (found) => {
      if (found && "kind" in found) return onDone(found);
      const fault = hashFault(expected, found ?? {});
      if (!fault) return onDone({ kind: "intact", digests: found?.blocks });
      if (!found || blocks !== "corrupt") {
        return onDone({ kind: "corrupt", fault, digests: found?.blocks });
      }
      digest(BLOCKS_ONLY, (again) => {
        const digests = again && !("kind" in again) ? again.blocks : undefined;
        onDone({ kind: "corrupt", fault, digests });
      });
    });
  }

  /** Hashes a piece that is completely in memory. */
  #digestOf(piece: number, { slab, headBytes }: PieceFrames): Digest {
    const length = this.#options.layout.geometry.requestSize(piece);
    return (plan, onDone) => {
      this.#options.hasher.begin(plan).finish({ slab, length, headBytes }, onDone);
    };
  }

  /** Reads a piece part by part and hashes it. */
  #digestStored(piece: number): Digest {
    return (plan, onDone) => {
      this.#takeSlab((slab) => {
        this.#hashFrom(piece, 0, slab, this.#options.hasher.begin(plan), (found) => {
          this.#giveSlab(slab);
          onDone(found);
        });
      });
    };
  }

  #hashFrom(
    piece: number,
    begin: number,
    slab: Slab,
    hashing: PieceHashing,
    onDone: (found: Digested) => void,
  ): void {
    const size = this.#options.layout.geometry.requestSize(piece);
    const length = Math.min(this.#partBytes, size - begin);
    const runs = length > 0 ? [{ piece, begin, length, slabOffset: 0 }] : [];
    this.#read(slab, runs, (outcome) => {
      if (outcome.kind === "failure") {
        hashing.cancel();
        onDone(isMissing(outcome) ? undefined : outcome);
        return;
      }
      const part = { slab, length, headBytes: 0 };
      if (begin + length === size) hashing.finish(part, onDone);
      else {
        hashing.feed(part, (fed) => {
          if (fed.kind === "failure") {
            hashing.cancel();
            onDone(fed);
          } else this.#hashFrom(piece, begin + length, slab, hashing, onDone);
        });
      }
    });
  }

  /** A piece that is all padding has nothing to read. */
  #read(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void {
    if (runs.length === 0) onDone({ kind: "done" });
    else this.#options.bytes.read(slab, runs, onDone);
  }

  /** @param result - The result to report when the bytes are written. */
  #writeWhole<Result>(
    piece: number,
    slab: Slab,
    result: Result,
    onDone: (result: Result | DiskFailure) => void,
  ): void {
    const length = this.#options.layout.geometry.requestSize(piece);
    if (length === 0) return onDone(result);
    this.#options.bytes.write(piece, { begin: 0, length }, { slab, slabOffset: 0 }, (outcome) =>
      onDone(outcome.kind === "failure" ? outcome : result),
    );
  }

  /** Padding in the middle of a piece was never requested. */
  #clearPadding(piece: number, slab: Slab): void {
    const { geometry } = this.#options.layout;
    const start = piece * geometry.pieceLength;
    for (const { file, offset, length } of geometry.spans(start, geometry.requestSize(piece))) {
      const extent = geometry.files[file]!;
      const at = extent.offset + offset - start;
      if (extent.pad) slab.view.fill(0, at, at + length);
    }
  }

  // ---- Turns -----------------------------------------------------------------------------------------

  /** Runs a job after the earlier jobs of the same piece. */
  #enter<Result>(
    piece: number,
    onDone: (result: Result | DiskFailure) => void,
    job: (end: (result: Result | DiskFailure) => void) => void,
  ): void {
    if (this.#closing) {
      this.#refuse(onDone);
      return;
    }
    const run = (): void => {
      job((result) => {
        this.#leave(piece);
        onDone(result);
        this.#settle();
      });
    };
    const line = this.#lines.get(piece);
    if (line) {
      line.push(run);
      return;
    }
    this.#lines.set(piece, []);
    run();
  }

  #leave(piece: number): void {
    const next = this.#lines.get(piece)!.shift();
    if (next) next();
    else this.#lines.delete(piece);
  }

  #settle(): void {
    if (this.#lines.size > 0) return;
    const onIdle = this.#onIdle;
    this.#onIdle = undefined;
    onIdle?.();
  }

  #takeSlab(use: (slab: Slab) => void): void {
    const slab = this.#options.slabs.take(this.#partBytes);
    if (slab) use(slab);
    else this.#waiting.push(use);
  }

  #giveSlab(slab: Slab): void {
    const next = this.#waiting.shift();
    if (next) next(slab);
    else this.#options.slabs.give(slab);
  }

  #refuse(onDone: (failure: DiskFailure) => void): void {
    this.#later(() => onDone(this.#closedFailure()));
  }

  #later(run: () => void): void {
    this.#options.clock.startTimer(0, run);
  }

  #closedFailure(): DiskFailure {
    const { root } = this.#options.layout;
    return { kind: "failure", code: "EBADF", message: `${root} is closed`, path: root };
  }
}

function isMissing({ code }: DiskFailure): boolean {
  return code === "ENOENT" || code === "ENOTDIR" || code === "EOF";
}
