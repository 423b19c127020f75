import type { DiskOutcomeMessage, HashTask } from "./disk-job.ts";
import { DiskRefusal } from "./disk-refusal.ts";
import { PieceDigester } from "./piece-digest.ts";
import { type Frames, framedBlocks } from "./piece-jobs.ts";

/** Hashes pieces that arrive in parts. Every worker has one. */
export class HashJobs {
  readonly #digesters = new Map<number, PieceDigester>();

  /** @throws {DiskRefusal} `EIO` when the worker that had the first part died. */
  perform({ hashing, plan, part }: HashTask, frames: Frames | undefined): DiskOutcomeMessage {
    if (!part || !frames) {
      this.#digesters.delete(hashing);
      return { kind: "done" };
    }
    const digester = plan ? new PieceDigester(plan) : this.#digesters.get(hashing);
    if (!digester) throw lost();
    if (frames.headBytes === 0) digester.feed(frames.bytes.subarray(0, part.length));
    else for (const block of framedBlocks(frames, part.length)) digester.feed(block);
    if (!part.isLast) {
      this.#digesters.set(hashing, digester);
      return { kind: "done" };
    }
    this.#digesters.delete(hashing);
    return { kind: "digests", found: digester.finish() };
  }
}

function lost(): DiskRefusal {
  const message = "the thread that hashed the beginning of a piece died";
  return new DiskRefusal({ kind: "failure", code: "EIO", message, path: "memory" });
}
