import { Worker } from "node:worker_threads";
import { invariant } from "../../base/errors.ts";
import type { Log } from "../../ports/log.ts";
import type {
  DiskJob,
  DiskNotice,
  DiskOutcomeMessage,
  DiskReply,
  DiskTask,
  HashJob,
  HashTask,
  MemoryRun,
} from "./disk-job.ts";
import { diskFailure } from "./disk-refusal.ts";
import type { DiskWorkerOptions } from "./disk-worker.ts";
import { QuickLooks } from "./quick-looks.ts";
import type { SharedLayout } from "./shared-layout.ts";
import { DISK_WORKER_URL } from "./worker-url.ts";

/**
 * The workers allocate few, short-lived objects; V8's default limits would let them keep far more.
 */
const YOUNG_GENERATION_MIB = 4;

/** One content, as the pool announces it to the workers. */
export interface PooledContent {
  readonly content: number;
  readonly layout: SharedLayout;
}

/** Receives a job's result. Never called within the call that posted the job. */
export interface JobHandler {
  readonly onOutcome: (outcome: DiskOutcomeMessage) => void;
  readonly onJudged?: (pieces: Uint32Array) => void;
  readonly onProgress?: (bytes: number) => void;
}

interface PendingJob extends JobHandler {
  /** The path that a failure names. */
  readonly path: string;
}

interface Seat {
  worker: Worker | undefined;
  readonly jobs: Map<number, PendingJob>;
  readonly knownArenas: Set<number>;
  readonly knownContents: Set<number>;
  outbox: (DiskNotice | DiskJob | HashJob)[];
}

export interface WorkerPoolOptions extends DiskWorkerOptions {
  readonly workers: number;
  readonly log: Log;
}

/**
 * The threads that do the disk I/O. Each starts with its first job, keeps the process alive only
 * while it has jobs, and is replaced when it dies: its jobs then fail, and its successor gets all
 * notices again.
 */
export class WorkerPool {
  /** What can be done without a thread. */
  readonly looks = new QuickLooks();
  readonly #options: WorkerPoolOptions;
  readonly #seats: Seat[];
  readonly #arenaIds = new WeakMap<SharedArrayBuffer, number>();
  #nextArena = 1;
  #nextJob = 1;
  #nextContent = 1;
  #flushPlanned = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#seats = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      jobs: new Map<number, PendingJob>(),
      knownArenas: new Set<number>(),
      knownContents: new Set<number>(),
      outbox: [],
    }));
  }

  get size(): number {
    return this.#seats.length;
  }

  /** True while no thread runs. */
  get isAsleep(): boolean {
    return this.#seats.every(({ worker }) => worker === undefined);
  }

  register(layout: SharedLayout): PooledContent {
    const content = this.#nextContent;
    this.#nextContent += 1;
    return { content, layout };
  }

  /** Queues a job for a worker; a worker starts its jobs in the order they were posted. */
  post(index: number, to: PooledContent, task: DiskTask, handler: JobHandler): void {
    const seat = this.#seats[index];
    invariant(seat, "jobs go to one of the workers");
    const { content, layout } = to;
    if (!this.#closed && !seat.knownContents.has(content)) {
      seat.knownContents.add(content);
      seat.outbox.push({ kind: "layout", content, layout });
    }
    const id = this.#enlist(seat, { ...handler, path: layout.root });
    if (id !== undefined) seat.outbox.push({ id, content, task });
  }

  /** Queues one part of a hashing that belongs to no content. */
  postHash(index: number, hash: HashTask, onOutcome: JobHandler["onOutcome"]): void {
    const seat = this.#seats[index];
    invariant(seat, "jobs go to one of the workers");
    const id = this.#enlist(seat, { onOutcome, path: "memory" });
    if (id !== undefined) seat.outbox.push({ id, hash });
  }

  /**
   * @returns The job's number, for the message in the outbox; `undefined` when the pool is closed.
   */
  #enlist(seat: Seat, job: PendingJob): number | undefined {
    if (this.#closed) {
      process.nextTick(() => job.onOutcome(diskFailure("EBADF", job.path)));
      return undefined;
    }
    const id = this.#nextJob;
    this.#nextJob += 1;
    seat.jobs.set(id, job);
    this.#planFlush();
    return id;
  }

  /** Posts to all workers. @param gather - Gets every outcome, once the last has arrived. */
  postToAll(
    to: PooledContent,
    taskFor: (index: number) => DiskTask,
    handler: Omit<JobHandler, "onOutcome"> & {
      readonly onOutcomes: (outcomes: readonly DiskOutcomeMessage[]) => void;
    },
  ): void {
    const outcomes: DiskOutcomeMessage[] = [];
    const { onOutcomes, ...rest } = handler;
    const onOutcome = (outcome: DiskOutcomeMessage): void => {
      outcomes.push(outcome);
      if (outcomes.length === this.size) onOutcomes(outcomes);
    };
    for (let index = 0; index < this.size; index += 1) {
      this.post(index, to, taskFor(index), { ...rest, onOutcome });
    }
  }

  /** Reports that this worker has closed the content. */
  forget(to: PooledContent): void {
    for (const seat of this.#seats) seat.knownContents.delete(to.content);
  }

  /** True when a worker has something of this content to close. */
  knows(index: number, to: PooledContent): boolean {
    return this.#seats[index]!.knownContents.has(to.content);
  }

  /** Registers bytes of shared memory so that the worker finds them. Call it just before `post`. */
  memoryRun(index: number, view: Uint8Array): MemoryRun {
    const memory = view.buffer;
    invariant(memory instanceof SharedArrayBuffer, "slabs are shared memory");
    let arena = this.#arenaIds.get(memory);
    if (arena === undefined) {
      arena = this.#nextArena;
      this.#nextArena += 1;
      this.#arenaIds.set(memory, arena);
    }
    const seat = this.#seats[index]!;
    if (!seat.knownArenas.has(arena)) {
      seat.knownArenas.add(arena);
      seat.outbox.push({ kind: "arena", arena, memory });
    }
    return { arena, offset: view.byteOffset, length: view.length };
  }

  /** Drops memory that no job refers to any more. */
  dropMemory(memory: SharedArrayBuffer): void {
    const arena = this.#arenaIds.get(memory);
    if (arena === undefined) return;
    this.#arenaIds.delete(memory);
    for (const seat of this.#seats) {
      if (seat.knownArenas.delete(arena)) seat.outbox.push({ kind: "drop-arena", arena });
    }
    this.#planFlush();
  }

  /** Waits for the jobs under way and ends the workers; later jobs fail. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#flush();
    while (this.#seats.some((seat) => seat.jobs.size > 0)) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve));
    }
    const ended = this.#seats.map(async (seat) => {
      const { worker } = seat;
      seat.worker = undefined;
      await worker?.terminate();
    });
    await Promise.all(ended);
  }

  #planFlush(): void {
    if (this.#flushPlanned) return;
    this.#flushPlanned = true;
    process.nextTick(() => {
      this.#flushPlanned = false;
      this.#flush();
    });
  }

  #flush(): void {
    for (const seat of this.#seats) {
      if (seat.outbox.length === 0) continue;
      const hasJobs = seat.jobs.size > 0;
      // Notices alone are no reason to start a worker.
      if (!seat.worker && !hasJobs) continue;
      const worker = (seat.worker ??= this.#hire(seat));
      if (hasJobs) worker.ref();
      const outbox = seat.outbox;
      seat.outbox = [];
      worker.postMessage(outbox);
    }
  }

  #hire(seat: Seat): Worker {
    const { openFilesMax, log } = this.#options;
    const workerData: DiskWorkerOptions = { openFilesMax };
    const worker = new Worker(DISK_WORKER_URL, {
      workerData,
      name: "everseed-disk",
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
    });
    worker.on("message", (replies: readonly DiskReply[]) => {
      for (const reply of replies) this.#answer(seat, reply);
      if (seat.jobs.size === 0 && seat.worker === worker) worker.unref();
      this.#settleIdle();
    });
    let cause: unknown = "it ended";
    worker.on("error", (error) => (cause = error));
    worker.on("exit", () => {
      if (seat.worker !== worker) return;
      log.error("a disk worker died; another takes its place", { cause: String(cause) });
      this.#bury(seat);
    });
    return worker;
  }

  #bury(seat: Seat): void {
    seat.worker = undefined;
    seat.knownArenas.clear();
    seat.knownContents.clear();
    seat.outbox = [];
    const lost = [...seat.jobs.values()];
    seat.jobs.clear();
    const message = "the thread that was at work on the disk died";
    for (const { path, onOutcome } of lost) {
      onOutcome({ ...diskFailure("EIO", path), message });
    }
    this.#settleIdle();
  }

  #answer(seat: Seat, reply: DiskReply): void {
    const handler = seat.jobs.get(reply.id);
    invariant(handler, "workers answer the jobs they were given");
    switch (reply.kind) {
      case "judged":
        handler.onJudged?.(reply.pieces);
        break;
      case "progress":
        handler.onProgress?.(reply.bytes);
        break;
      case "outcome":
        seat.jobs.delete(reply.id);
        handler.onOutcome(reply.outcome);
        break;
    }
  }

  #settleIdle(): void {
    if (this.#onIdle.length === 0 || this.#seats.some((seat) => seat.jobs.size > 0)) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
