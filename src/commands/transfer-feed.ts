import { transferNewsSchema, type TransferView } from "../api/transfers.ts";
import { TRANSFER_EVENTS_PATH } from "../api/paths.ts";
import type { Clock } from "../ports/clock.ts";
import { CommandError } from "./command-error.ts";
import type { ControlClient } from "./control-client.ts";
import type { TransferClient } from "./transfer-client.ts";
import { sleep } from "./waiting.ts";

const RETRY_MS = 1_000;
const RETRY_MS_MAX = 10_000;

/** What a follower of a node's transfers hears. */
export type FeedNews =
  | {
      readonly kind: "news";
      /** Those that differ from what was told before, whole; at first all. */
      readonly changed: readonly TransferView[];
      /** As they were last. */
      readonly removed: readonly TransferView[];
    }
  /** The node has ended, or starts again. It is asked again until it answers. */
  | { readonly kind: "away" };

/** Follows the transfers of a node, also when it is restarted. */
export class TransferFeed {
  readonly #node: Pick<ControlClient, "events">;
  readonly #client: Pick<TransferClient, "each">;
  readonly #clock: Clock;
  readonly #label: string | undefined;
  readonly #known = new Map<string, TransferView>();

  /** @param options.label - Those with this label only. */
  constructor(
    node: Pick<ControlClient, "events">,
    client: Pick<TransferClient, "each">,
    { clock, label }: { readonly clock: Clock; readonly label?: string | undefined },
  ) {
    this.#node = node;
    this.#client = client;
    this.#clock = clock;
    this.#label = label;
  }

  /** All that are there, in the order in which they were added. */
  get transfers(): readonly TransferView[] {
    return [...this.#known.values()].filter((transfer) => this.#isAsked(transfer));
  }

  /**
   * Ends when the signal says so.
   *
   * @throws {CommandError} (rejects) When there is no node at the beginning, or when it refuses.
   */
  async *follow(signal: AbortSignal): AsyncIterable<FeedNews> {
    let waitMs = 0;
    let isAwayTold = false;
    for (;;) {
      try {
        for await (const news of this.#once()) {
          waitMs = RETRY_MS;
          isAwayTold = false;
          yield news;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (waitMs === 0 || !isAway(error)) throw error;
      }
      if (signal.aborted) return;
      waitMs ||= RETRY_MS;
      if (!isAwayTold) yield { kind: "away" };
      isAwayTold = true;
      await sleep(this.#clock, waitMs, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      if (signal.aborted) return;
      waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
    }
  }

  /** Until the node ends the events. */
  async *#once(): AsyncIterable<FeedNews> {
    for await (const { event, data } of this.#node.events(TRANSFER_EVENTS_PATH)) {
      // What changes from now on is told: nothing is missed between the list and the first event.
      if (event === "ready") yield await this.#list();
      if (event === "transfers") yield* this.#apply(data);
    }
  }

  async #list(): Promise<FeedNews> {
    const before = new Map(this.#known);
    this.#known.clear();
    const changed: TransferView[] = [];
    for await (const transfer of this.#client.each({})) {
      this.#known.set(transfer.id, transfer);
      const old = before.get(transfer.id);
      before.delete(transfer.id);
      if (JSON.stringify(old) !== JSON.stringify(transfer)) changed.push(transfer);
    }
    return this.#told(changed, [...before.values()]);
  }

  *#apply(data: string): Iterable<FeedNews> {
    const found = transferNewsSchema.safeParse(JSON.parse(data));
    if (!found.success) {
      throw new CommandError(
        "unreachable",
        "The node tells news that this version does not know.",
        {
          hint: "everseed daemon restart, when the node is of another version.",
        },
      );
    }
    const news = found.data;
    const changed: TransferView[] = [];
    const removed: TransferView[] = [];
    for (const change of news.changed) {
      const old = this.#known.get(change.id);
      // The first that this stream tells of one is all of it.
      const transfer = { ...old, ...change } as TransferView;
      this.#known.set(transfer.id, transfer);
      if (JSON.stringify(old) === JSON.stringify(transfer)) continue;
      // Without the label that is asked for it is gone.
      const isLost = old !== undefined && this.#isAsked(old) && !this.#isAsked(transfer);
      if (isLost) removed.push(old);
      else changed.push(transfer);
    }
    for (const id of news.removed) {
      const old = this.#known.get(id);
      if (old) removed.push(old);
      this.#known.delete(id);
    }
    const told = this.#told(changed, removed);
    if (told.changed.length + told.removed.length > 0) yield told;
  }

  #told(
    changed: readonly TransferView[],
    removed: readonly TransferView[],
  ): Extract<FeedNews, { kind: "news" }> {
    const isAsked = (transfer: TransferView): boolean => this.#isAsked(transfer);
    return { kind: "news", changed: changed.filter(isAsked), removed: removed.filter(isAsked) };
  }

  #isAsked({ label }: TransferView): boolean {
    return this.#label === undefined || label === this.#label;
  }
}

function isAway(error: unknown): boolean {
  return (
    error instanceof CommandError && ["not-found", "starting", "unreachable"].includes(error.code)
  );
}
