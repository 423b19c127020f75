import type { Lock, Locker, RequestRelease } from "@tus/server";
import { invariant } from "../base/errors.ts";
import { RefusedError } from "./problems.ts";

interface Holder {
  readonly requestRelease: RequestRelease;
  readonly released: PromiseWithResolvers<void>;
}

const GONE = { status: 503, code: "busy", message: "The request ended before its turn." } as const;

/**
 * Allows one request at a time for each draft. The next request asks the one before to end, because that one's
 * connection may be dead unnoticed, and waits until its bytes are durable. The library's own lock polls meanwhile,
 * which costs a whole core.
 */
export class DraftLocks implements Locker {
  readonly #holders = new Map<string, Holder>();

  newLock(id: string): Lock {
    return {
      lock: (signal, requestRelease) => this.#lock(id, signal, requestRelease),
      unlock: async () => {
        const holder = this.#holders.get(id);
        invariant(holder, "only the holder unlocks");
        this.#holders.delete(id);
        holder.released.resolve();
      },
    };
  }

  async #lock(id: string, signal: AbortSignal, requestRelease: RequestRelease): Promise<void> {
    for (;;) {
      if (signal.aborted) throw new RefusedError(GONE);
      const holder = this.#holders.get(id);
      if (!holder) break;
      await holder.requestRelease();
      await holder.released.promise;
    }
    this.#holders.set(id, { requestRelease, released: Promise.withResolvers() });
  }
}
