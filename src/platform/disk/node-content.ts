import { invariant } from "../../base/errors.ts";
import type {
  ByteStore,
  CheckOptions,
  DiskFailure,
  DiskOutcome,
  FilePlaces,
  FileStamp,
  FileWatch,
  FoundHashes,
  OpenContent,
  PieceFrames,
  PieceJudge,
  PieceVerdict,
  ReadRun,
  Slab,
} from "../../ports/content.ts";
import type { DiskOutcomeMessage, DiskTask } from "./disk-job.ts";
import { diskFailure } from "./disk-refusal.ts";
import { JobLine } from "./job-line.ts";
import { CREATED, DIRTY, IN_PART_FILE, LayoutTable, type SharedLayout } from "./shared-layout.ts";
import { readStamps } from "./read-stamps.ts";
import { SYNC_WHOLE_DISK_FILES } from "./sync-jobs.ts";
import type { PooledContent, WorkerPool } from "./worker-pool.ts";

const DONE = { kind: "done" } as const;

/**
 * One torrent's files, by way of the workers. Each piece has its worker, which keeps the piece's
 * jobs in order, whichever port of the content they come through.
 */
export class NodeContent implements OpenContent, ByteStore, PieceJudge, FileWatch, FilePlaces {
  readonly bytes: ByteStore = this;
  readonly judge: PieceJudge = this;
  readonly watch: FileWatch = this;
  readonly places: FilePlaces = this;
  readonly #pool: WorkerPool;
  readonly #pooled: PooledContent;
  readonly #table: LayoutTable;
  readonly #line = new JobLine();
  /** Jobs under way that write a piece. */
  readonly #writing = new Map<number, number>();
  readonly #stopChecks = new Set<() => void>();
  /** Waiting syncs; the first one is under way. */
  readonly #waitingSyncs: ((outcome: DiskOutcome) => void)[] = [];
  #wanted: Uint8Array | undefined;
  /** Jobs under way that move files into or out of the part file. */
  #moving = 0;
  #closed = false;

  constructor(pool: WorkerPool, layout: SharedLayout) {
    this.#pool = pool;
    this.#pooled = pool.register(layout);
    this.#table = new LayoutTable(this.#pooled.layout);
  }

  store(
    piece: number,
    slab: Slab,
    options: { readonly digests: boolean },
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    this.#postWrite(
      piece,
      (worker) => {
        const source = this.#pool.memoryRun(worker, slab.view);
        return { kind: "store", piece, source, digests: options.digests };
      },
      (outcome) => onDone(asVerdict(outcome)),
    );
  }

  ingest(
    piece: number,
    slab: Slab,
    want: { readonly v1: boolean; readonly v2: boolean },
    onDone: (result: FoundHashes | DiskFailure) => void,
  ): void {
    this.#postWrite(
      piece,
      (worker) => {
        const source = this.#pool.memoryRun(worker, slab.view);
        return { kind: "ingest", piece, source, v1: want.v1, v2: want.v2 };
      },
      (outcome) => {
        if (outcome.kind === "failure") return onDone(outcome);
        invariant(outcome.kind === "ingested", "an ingest job finds hashes");
        const { v1, v2 } = outcome;
        onDone({ ...(v1 && { v1 }), ...(v2 && { v2 }) });
      },
    );
  }

  write(
    piece: number,
    run: { readonly begin: number; readonly length: number },
    from: { readonly slab: Slab; readonly slabOffset: number },
    onDone: (outcome: DiskOutcome) => void,
  ): void {
    const bytes = from.slab.view.subarray(from.slabOffset, from.slabOffset + run.length);
    this.#postWrite(
      piece,
      (worker) => {
        const source = this.#pool.memoryRun(worker, bytes);
        return { kind: "write", piece, begin: run.begin, source };
      },
      (outcome) => onDone(asDone(outcome)),
    );
  }

  verify(
    piece: number,
    options: { readonly digests: boolean; readonly frames?: PieceFrames | undefined },
    onDone: (verdict: PieceVerdict) => void,
  ): void {
    const { digests, frames } = options;
    const worker = this.#home(piece);
    const task = (): DiskTask => ({
      kind: "verify",
      piece,
      digests,
      frames: frames && {
        target: this.#pool.memoryRun(worker, frames.slab.view),
        headBytes: frames.headBytes,
      },
    });
    this.#post(worker, "shared", task, (outcome) => onDone(asVerdict(outcome)));
  }

  check(options: CheckOptions): () => void {
    const control = { cursor: new Int32Array(new SharedArrayBuffer(8)) };
    let stopped = this.#closed;
    const stop = (): void => {
      stopped = true;
      Atomics.store(control.cursor, 1, 1);
      this.#stopChecks.delete(stop);
    };
    if (this.#closed) {
      process.nextTick(() => options.onDone(this.#closedFailure()));
      return stop;
    }
    this.#stopChecks.add(stop);
    const pieces = new Uint8Array(new SharedArrayBuffer(options.pieces.bytes.length));
    pieces.set(options.pieces.bytes);
    this.#line.joinUnordered((release) => {
      this.#pool.postToAll(this.#pooled, () => ({ kind: "check", control, pieces }), {
        onJudged: (judged) => {
          for (let at = 0; at < judged.length && !stopped; at += 2) {
            options.onPiece(judged[at]!, judged[at + 1] === 1);
          }
        },
        onOutcomes: (outcomes) => {
          const wasStopped = stopped;
          stop();
          release();
          if (!wasStopped) options.onDone(firstFailure(outcomes) ?? DONE);
        },
      });
    });
    return stop;
  }

  read(slab: Slab, runs: readonly ReadRun[], onDone: (outcome: DiskOutcome) => void): void {
    const first = runs[0];
    invariant(first, "something is read");
    const worker = this.#home(first.piece);
    // Across pieces, another piece may still be being written; such a read waits until no write is
    // under way.
    const elsewhere = runs.some(
      ({ piece }) => this.#writing.has(piece) && this.#home(piece) !== worker,
    );
    const task = (): DiskTask => {
      const numbers = new Uint32Array(runs.length * 4);
      for (const [index, { piece, begin, length, slabOffset }] of runs.entries()) {
        numbers.set([piece, begin, length, slabOffset], index * 4);
      }
      const target = this.#pool.memoryRun(worker, slab.view);
      return { kind: "read", target, runs: numbers };
    };
    this.#post(worker, elsewhere ? "alone" : "shared", task, (outcome) => {
      onDone(asDone(outcome));
    });
  }

  sync(onDone: (outcome: DiskOutcome) => void): void {
    // Run one sync at a time: the marks that a sync clears stand for bytes that are not durable
    // until it ends.
    this.#waitingSyncs.push(onDone);
    if (this.#waitingSyncs.length === 1) this.#syncNext();
  }

  stamp(onDone: (stamps: readonly FileStamp[] | DiskFailure) => void): void {
    if (this.#closed) {
      process.nextTick(() => onDone(this.#closedFailure()));
      return;
    }
    this.#line.join("shared", (release) => {
      const end = (stamps: readonly FileStamp[] | DiskFailure): void => {
        release();
        onDone(stamps);
      };
      const onOutcome = (outcome: DiskOutcomeMessage): void => {
        if (outcome.kind === "failure") return end(outcome);
        invariant(outcome.kind === "stamps", "a stamp job finds stamps");
        readStamps(outcome.stamps, end);
      };
      const askWorker = (): void => {
        this.#pool.post(0, this.#pooled, { kind: "stamp" }, { onOutcome });
      };
      if (!this.#pool.isAsleep) return askWorker();
      void this.#pool.looks.stamp(this.#table).then((stamps) => {
        if (stamps) onOutcome({ kind: "stamps", stamps });
        else askWorker();
      });
    });
  }

  reopen(lost: readonly number[], onDone: (outcome: DiskOutcome) => void): void {
    this.#postAlone({ kind: "reopen", lost }, onDone);
  }

  claim(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void {
    this.#postAlone({ kind: "claim", files }, onDone);
  }

  setAside(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void {
    this.#postAlone({ kind: "set-aside", files }, onDone);
  }

  createEmpty(onDone: (outcome: DiskOutcome) => void): void {
    if (this.#pooled.layout.readOnly && !this.#closed) {
      process.nextTick(() => onDone(DONE));
      return;
    }
    const unwanted = this.#wanted?.map((wanted) => 1 - wanted);
    this.#post(
      0,
      "shared",
      () => ({ kind: "create-empty", unwanted }),
      (outcome) => {
        onDone(asDone(outcome));
      },
    );
  }

  setWanted(wanted: readonly boolean[], onDone: (outcome: DiskOutcome) => void): void {
    const table = Uint8Array.from(wanted, Number);
    this.#wanted = table;
    this.#moving += 1;
    // Files change places, so no job may be on its way to the old ones.
    this.#post(
      0,
      "alone",
      () => ({ kind: "set-wanted", wanted: table }),
      (outcome) => {
        this.#moving -= 1;
        onDone(asDone(outcome));
      },
    );
  }

  finish(files: readonly number[], onDone: (outcome: DiskOutcome) => void): void {
    const task: DiskTask = { kind: "finish", files };
    this.#post(
      0,
      "alone",
      () => task,
      (outcome) => onDone(asDone(outcome)),
    );
  }

  close(onDone: () => void): void {
    this.#closed = true;
    for (const stop of this.#stopChecks) stop();
    this.#line.joinLast((release) => {
      const workers = Array.from({ length: this.#pool.size }, (_, index) => index);
      const toldOf = workers.filter((index) => this.#pool.knows(index, this.#pooled));
      let open = toldOf.length;
      const closed = (): void => {
        this.#pool.forget(this.#pooled);
        release();
        onDone();
      };
      if (open === 0) process.nextTick(closed);
      for (const index of toldOf) {
        const onOutcome = (): void => {
          open -= 1;
          if (open === 0) closed();
        };
        this.#pool.post(index, this.#pooled, { kind: "close" }, { onOutcome });
      }
    });
  }

  #syncNext(): void {
    let marks: Uint8Array | undefined;
    const finish = (failure: DiskFailure | undefined): void => {
      if (failure && marks) this.#table.putBack(marks, DIRTY | CREATED);
      const onDone = this.#waitingSyncs.shift();
      if (this.#waitingSyncs.length > 0) this.#syncNext();
      onDone?.(failure ?? DONE);
    };
    if (this.#closed) {
      process.nextTick(() => finish(this.#closedFailure()));
      return;
    }
    this.#line.join("shared", (release) => {
      marks = this.#table.snapshot();
      const whole = this.#table.count(DIRTY) > SYNC_WHOLE_DISK_FILES;
      const parts = this.#pool.size;
      const onOutcomes = (outcomes: readonly DiskOutcomeMessage[]): void => {
        release();
        finish(firstFailure(outcomes));
      };
      if (whole) {
        const onOutcome = (outcome: DiskOutcomeMessage): void => onOutcomes([outcome]);
        this.#pool.post(0, this.#pooled, { kind: "sync-disk" }, { onOutcome });
      } else {
        const task = (part: number): DiskTask => ({ kind: "sync", part, parts });
        this.#pool.postToAll(this.#pooled, task, { onOutcomes });
      }
    });
  }

  #home(piece: number): number {
    return piece % this.#pool.size;
  }

  #closedFailure(): DiskFailure {
    return diskFailure("EBADF", this.#pooled.layout.root);
  }

  /**
   * @param taskFor - Called when the job's turn comes; a failure that it returns is the outcome.
   */
  #post(
    worker: number,
    turn: "shared" | "alone",
    taskFor: () => DiskTask | DiskFailure,
    onOutcome: (outcome: DiskOutcomeMessage) => void,
  ): void {
    if (this.#closed) {
      process.nextTick(() => onOutcome(this.#closedFailure()));
      return;
    }
    this.#line.join(turn, (release) => {
      const end = (outcome: DiskOutcomeMessage): void => {
        release();
        onOutcome(outcome);
      };
      const task = taskFor();
      if (task.kind === "failure") process.nextTick(() => end(task));
      else this.#pool.post(worker, this.#pooled, task, { onOutcome: end });
    });
  }

  /** For jobs that move files: nothing else runs meanwhile. */
  #postAlone(task: DiskTask, onDone: (outcome: DiskOutcome) => void): void {
    this.#post(
      0,
      "alone",
      () => task,
      (outcome) => onDone(asDone(outcome)),
    );
  }

  #postWrite(
    piece: number,
    taskFor: (worker: number) => DiskTask,
    onOutcome: (outcome: DiskOutcomeMessage) => void,
  ): void {
    const worker = this.#home(piece);
    const place = this.#makePlace(piece);
    this.#writing.set(piece, (this.#writing.get(piece) ?? 0) + 1);
    const task = (): DiskTask | DiskFailure => place.failure ?? taskFor(worker);
    this.#post(worker, "shared", task, (outcome) => {
      const left = this.#writing.get(piece)! - 1;
      if (left === 0) this.#writing.delete(piece);
      else this.#writing.set(piece, left);
      onOutcome(outcome);
    });
  }

  /**
   * The part file holds only the ends of files, so writing a piece in a file's middle first takes
   * that file out of it. While other jobs move files, this cannot know whether a file will be in
   * the part file at its turn.
   *
   * @returns An object that holds the failure, if any, when the next job's turn comes.
   */
  #makePlace(piece: number): { readonly failure: DiskFailure | undefined } {
    const place: { failure: DiskFailure | undefined } = { failure: undefined };
    if (this.#wanted === undefined) return place;
    const { pieceLength, offsets, lengths } = this.#pooled.layout;
    const files = this.#table.spans(piece * pieceLength, pieceLength).flatMap(({ file }) => {
      const start = offsets[file]!;
      const first = Math.floor(start / pieceLength);
      const last = Math.floor((start + lengths[file]! - 1) / pieceLength);
      const middle = piece > first && piece < last;
      const maybeThere = this.#moving > 0 || this.#table.has(file, IN_PART_FILE);
      return middle && maybeThere ? [file] : [];
    });
    if (files.length === 0) return place;
    this.#post(
      0,
      "alone",
      () => ({ kind: "leave-part-file", files }),
      (outcome) => {
        if (outcome.kind === "failure") place.failure = outcome;
      },
    );
    return place;
  }
}

function asVerdict(outcome: DiskOutcomeMessage): PieceVerdict {
  const { kind } = outcome;
  invariant(
    kind === "intact" || kind === "corrupt" || kind === "failure",
    "a piece is judged, or the disk refused",
  );
  return outcome;
}

function asDone(outcome: DiskOutcomeMessage): DiskOutcome {
  if (outcome.kind === "failure") return outcome;
  return DONE;
}

function firstFailure(outcomes: readonly DiskOutcomeMessage[]): DiskFailure | undefined {
  return outcomes.find((outcome): outcome is DiskFailure => outcome.kind === "failure");
}
