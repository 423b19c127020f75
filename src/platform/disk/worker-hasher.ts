import { invariant } from "../../base/errors.ts";
import type { DigestPlan, HashedPart, Hasher, PieceHashing } from "../../ports/hasher.ts";
import type { DiskOutcomeMessage } from "./disk-job.ts";
import type { WorkerPool } from "./worker-pool.ts";

/** Hashes pieces in place in shared memory, on the threads that also do the disk I/O. */
export class WorkerHasher implements Hasher {
  readonly #pool: WorkerPool;
  #nextHashing = 1;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
  }

  begin(plan: DigestPlan): PieceHashing {
    const pool = this.#pool;
    const hashing = this.#nextHashing;
    this.#nextHashing += 1;
    const worker = hashing % pool.size;
    let hasBegun = false;
    const post = (
      { slab, length, headBytes }: HashedPart,
      isLast: boolean,
      onOutcome: (outcome: DiskOutcomeMessage) => void,
    ): void => {
      const source = { target: pool.memoryRun(worker, slab.view), headBytes };
      const part = { source, length, isLast };
      pool.postHash(worker, { hashing, plan: hasBegun ? undefined : plan, part }, onOutcome);
      hasBegun = true;
    };
    return {
      feed: (part, onDone) => {
        post(part, false, (outcome) => {
          onDone(outcome.kind === "failure" ? outcome : { kind: "done" });
        });
      },
      finish: (part, onDone) => {
        post(part, true, (outcome) => {
          if (outcome.kind === "failure") return onDone(outcome);
          invariant(outcome.kind === "digests", "the last part brings the digests");
          onDone(outcome.found);
        });
      },
      cancel: () => {
        if (!hasBegun) return;
        pool.postHash(worker, { hashing, plan: undefined, part: undefined }, () => undefined);
      },
    };
  }
}
