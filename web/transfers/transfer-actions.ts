import type {
  QueueMoveInput,
  TransferBatch,
  TransferBatchResult,
  TransferEditInput,
  TransferView,
} from "../../src/api/transfers.ts";
import { TRANSFER_BATCH_PATH, TRANSFER_QUEUE_PATH, transferPath } from "../../src/api/paths.ts";
import { askHub, troubleOf } from "../client/hub.ts";
import { plural } from "../parts/format.ts";
import type { Toasts } from "./toasts.tsx";
import type { TransferStore } from "./transfer-store.ts";

/** Transfers in one request. */
const BATCH = 1_000;

/**
 * What a person does to transfers. It shows at once; when the node refuses, it is put back and a toast says why. No
 * method rejects.
 */
export class TransferActions {
  readonly #store: TransferStore;
  readonly #toasts: Toasts;

  constructor(store: TransferStore, toasts: Toasts) {
    this.#store = store;
    this.#toasts = toasts;
  }

  async stop(ids: readonly string[]): Promise<void> {
    const look = { ...STILL, state: "paused", reason: "asked", cause: "stopped by you" } as const;
    await this.#run("stop", ids, look);
  }

  async start(ids: readonly string[]): Promise<void> {
    await this.#run("start", ids, { state: "queued", reason: null, cause: "it is being started" });
  }

  async recheck(ids: readonly string[]): Promise<void> {
    await this.#run("recheck", ids, {
      state: "checking",
      reason: null,
      cause: "it is being started",
    });
  }

  async announce(ids: readonly string[]): Promise<void> {
    if (await this.#run("announce", ids, {})) this.#toasts.say("The trackers are asked now.");
  }

  /** Removes them from the list at once; the node is told when it cannot be undone any more. */
  remove(ids: readonly string[], content: boolean): void {
    const names = ids.flatMap((id) => this.#store.get(id) ?? []);
    this.#store.hide(ids);
    const carryOut = async (keepalive: boolean): Promise<void> => {
      const isDone = await this.#run("remove", ids, {}, { content, keepalive });
      if (!isDone) this.#store.unhide(ids);
    };
    if (content) {
      void carryOut(false);
      return;
    }
    this.#toasts.offerUndo(removedWords(names), {
      undo: () => this.#store.unhide(ids),
      carryOut: (isLeaving) => void carryOut(isLeaving),
    });
  }

  async edit(ids: readonly string[], edit: TransferEditInput): Promise<boolean> {
    return this.#run("edit", ids, lookOf(edit), { edit });
  }

  async moveInQueue(ids: readonly string[], to: QueueMoveInput["to"]): Promise<void> {
    await this.#try(() => askHub("POST", TRANSFER_QUEUE_PATH, { ids, to }));
  }

  /** Moves the content of each to another folder. */
  async moveContent(ids: readonly string[], folder: string): Promise<boolean> {
    const look = { state: "moving", reason: null, cause: `to ${folder}` } as const;
    return this.#try(() =>
      this.#store.assume(ids, look, async () => {
        for (const id of ids) await askHub("POST", `${transferPath(id)}/move`, { folder });
      }),
    );
  }

  /** Renames a file or a folder, on the disk too. */
  async rename(id: string, path: string, name: string): Promise<boolean> {
    return this.#try(() => askHub("POST", `${transferPath(id)}/rename`, { path, name }));
  }

  /** @returns Whether all of it was done. */
  async #run(
    command: TransferBatch["command"],
    ids: readonly string[],
    look: Partial<TransferView>,
    {
      keepalive = false,
      ...more
    }: Omit<TransferBatch, "ids" | "command"> & { keepalive?: boolean } = {},
  ): Promise<boolean> {
    return this.#try(() =>
      this.#store.assume(ids, look, async () => {
        for (let begin = 0; begin < ids.length; begin += BATCH) {
          const batch = { command, ids: ids.slice(begin, begin + BATCH), ...more };
          const { refused } = await askHub<TransferBatchResult>(
            "POST",
            TRANSFER_BATCH_PATH,
            batch,
            { keepalive },
          );
          if (refused.length > 0) throw new RefusedByNode(refused);
        }
      }),
    );
  }

  async #try(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof RefusedByNode) this.#toasts.complain(error.message, null);
      else {
        const { message, hint } = troubleOf(error);
        this.#toasts.complain(message, hint);
      }
      return false;
    }
  }
}

class RefusedByNode extends Error {
  constructor(refused: TransferBatchResult["refused"]) {
    const [first] = refused;
    const rest = refused.length - 1;
    super(rest > 0 ? `${first!.message} And ${plural(rest, "other")} too.` : first!.message);
  }
}

/** A stopped transfer moves nothing. */
const STILL = { down: 0, up: 0, peers: 0, seeds: 0, eta: null, checkedPercent: null } as const;

function lookOf({ label, downLimit, upLimit }: TransferEditInput): Partial<TransferView> {
  return {
    ...(label !== undefined && { label }),
    ...(downLimit !== undefined && { downLimit }),
    ...(upLimit !== undefined && { upLimit }),
  };
}

function removedWords(transfers: readonly TransferView[]): string {
  const [first] = transfers;
  if (first === undefined || transfers.length > 1) {
    return `Removed ${plural(transfers.length, "transfer")}. Their files stay.`;
  }
  return `Removed “${first.name}”. Its files stay in ${first.folder}.`;
}
