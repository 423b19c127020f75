import { availableParallelism } from "node:os";
import { EverseedError } from "../base/errors.ts";
import type {
  ContentLayout,
  ContentSource,
  DiskFailure,
  MeasuredPieces,
  OpenContent,
  PieceHasher,
} from "../ports/content.ts";
import type { Work } from "../base/work.ts";
import { type Log, SILENT_LOG } from "../ports/log.ts";
import type { Hasher } from "../ports/hasher.ts";
import { NodeContent } from "./disk/node-content.ts";
import { NODE_BYTES, SHA1_BYTES } from "./disk/piece-digest.ts";
import { shareLayout, shareLayoutInSteps } from "./disk/shared-layout.ts";
import { WorkerHasher } from "./disk/worker-hasher.ts";
import { WorkerPool } from "./disk/worker-pool.ts";
import { ArenaSlabPool } from "./slab-pool.ts";

const READ_ONLY = { readOnly: true, existing: "claimed" } as const;
const WORKERS_MAX = 4;
const OPEN_FILES_PER_WORKER = 128;

export interface NodeDiskOptions {
  /** Threads that hash and do disk I/O. Default: one for each core, at most four. */
  readonly workers?: number | undefined;
  /** Files each thread keeps open. */
  readonly openFilesMax?: number | undefined;
  readonly log?: Log | undefined;
}

/** A file could not be read while it was hashed. `code` is the system's, or `changed` (MET-24). */
export class MeasureError extends EverseedError {
  readonly code: string;
  readonly path: string;

  constructor(failure: DiskFailure) {
    super(failure.message);
    this.code = failure.code;
    this.path = failure.path;
  }
}

/**
 * Content on disk, behind the content ports, on a pool of worker threads that start with the first
 * job. Jobs must use slabs from this object's own pools.
 */
export class NodeDisk implements ContentSource, PieceHasher {
  readonly #pool: WorkerPool;
  /**
   * For stores whose bytes are not on this machine's disk. Its slabs also come from this object's
   * pools.
   */
  readonly hasher: Hasher;

  constructor(options: NodeDiskOptions = {}) {
    this.#pool = new WorkerPool({
      workers: options.workers ?? Math.min(availableParallelism(), WORKERS_MAX),
      openFilesMax: options.openFilesMax ?? OPEN_FILES_PER_WORKER,
      log: options.log ?? SILENT_LOG,
    });
    this.hasher = new WorkerHasher(this.#pool);
  }

  /** A pool whose memory the workers know; they drop memory when the pool does. */
  createSlabPool(limitBytes: number): ArenaSlabPool {
    return new ArenaSlabPool({ limitBytes, onDrop: (memory) => this.#pool.dropMemory(memory) });
  }

  open(layout: ContentLayout): OpenContent {
    return new NodeContent(this.#pool, shareLayout(layout));
  }

  *openInSteps(layout: ContentLayout): Work<OpenContent> {
    return new NodeContent(this.#pool, yield* shareLayoutInSteps(layout));
  }

  /** @throws {MeasureError} (rejects); or with the signal's reason. */
  async measure(options: {
    readonly layout: Pick<ContentLayout, "root" | "geometry" | "files" | "throughLinks">;
    readonly v1: boolean;
    readonly v2: boolean;
    readonly onProgress?: (bytesDone: number) => void;
    readonly signal?: AbortSignal;
  }): Promise<MeasuredPieces> {
    const { signal } = options;
    signal?.throwIfAborted();
    const { pieceCount } = options.layout.geometry;
    const v1 = options.v1 ? sharedTable(pieceCount * SHA1_BYTES) : undefined;
    const v2 = options.v2 ? sharedTable(pieceCount * NODE_BYTES) : undefined;
    const shared = shareLayout({ ...options.layout, hashes: {}, partFile: "", ...READ_ONLY });
    const pooled = this.#pool.register(shared);
    const control = { cursor: new Int32Array(new SharedArrayBuffer(8)) };
    const stop = (): void => void Atomics.store(control.cursor, 1, 1);
    signal?.addEventListener("abort", stop);
    let bytesDone = 0;
    const failure = await new Promise<DiskFailure | undefined>((resolve) => {
      let first: DiskFailure | undefined;
      let open = this.#pool.size;
      for (let index = 0; index < this.#pool.size; index += 1) {
        this.#pool.post(
          index,
          pooled,
          { kind: "measure", control, v1, v2 },
          {
            onProgress: (bytes) => {
              bytesDone += bytes;
              options.onProgress?.(bytesDone);
            },
            onOutcome: (outcome) => {
              if (outcome.kind === "failure") {
                first ??= outcome;
                stop();
              }
              open -= 1;
              if (open === 0) resolve(first);
            },
          },
        );
      }
    });
    signal?.removeEventListener("abort", stop);
    this.#pool.postToAll(pooled, () => ({ kind: "close" }), { onOutcomes: () => undefined });
    this.#pool.forget(pooled);
    signal?.throwIfAborted();
    if (failure) throw new MeasureError(failure);
    return { v1, v2 };
  }

  /** Waits for the jobs under way and ends the threads; later jobs fail. */
  close(): Promise<void> {
    return this.#pool.close();
  }
}

function sharedTable(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes));
}
