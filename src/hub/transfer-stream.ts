import type { TransferNewsView, TransferView } from "../api/transfers.ts";
import type { Timer } from "../ports/clock.ts";
import type { TransferNews } from "../transfers/transfer-watch.ts";
import type { TransferParts } from "./control-parts.ts";
import { RefusedError } from "./problems.ts";
import { transferView } from "./transfer-views.ts";

/** Proxies and browsers drop streams that are silent for longer. */
const HEARTBEAT_MS = 15_000;
/** Streams open at once. */
const STREAMS_MAX = 100;
/** Events that a reader may lag behind; until it reads, changes are joined. */
const BACKLOG_EVENTS = 4;

const ENCODER = new TextEncoder();

/** Server-sent events with what changes about transfers: at most one a second for each reader, and nothing at rest. */
export class TransferStreams {
  readonly #parts: TransferParts;
  #open = 0;

  constructor(parts: TransferParts) {
    this.#parts = parts;
  }

  /** @throws {RefusedError} When there are too many readers. */
  open(): Response {
    if (this.#open >= STREAMS_MAX) throw new RefusedError(TOO_MANY);
    const { service, clock } = this.#parts;
    const deltas = new Deltas();
    let heartbeat: Timer | undefined;
    let unwatch: (() => void) | undefined;
    const end = (): void => {
      if (!unwatch) return;
      heartbeat?.cancel();
      unwatch();
      unwatch = undefined;
      this.#open -= 1;
    };
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#open += 1;
          const send = (text: string): void => {
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(ENCODER.encode(text));
          };
          const beat = (): void => {
            heartbeat = clock.startTimer(HEARTBEAT_MS, () => {
              send(": still here\n\n");
              beat();
            });
          };
          beat();
          unwatch = service.watch((news) => {
            deltas.add(news);
            if ((controller.desiredSize ?? 0) <= 0) return;
            const view = deltas.take();
            if (view) send(`event: transfers\ndata: ${JSON.stringify(view)}\n\n`);
          });
          // A reader lists the transfers once this has come, and misses nothing.
          send("event: ready\ndata: {}\n\n");
        },
        cancel: end,
      },
      { highWaterMark: BACKLOG_EVENTS },
    );
    return new Response(stream, {
      headers: {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // For proxies that would otherwise buffer the stream.
        "x-accel-buffering": "no",
      },
    });
  }
}

const TOO_MANY = {
  status: 503,
  code: "busy",
  message: "Too many programs follow the transfers of this node.",
  hint: "Close one of them.",
} as const;

type Change = TransferNewsView["changed"][number];

/** Transfers of which a reader's last view is remembered: of others it is told all again. A view takes a kilobyte. */
const TOLD_MAX = 2_000;

/** What one reader has not been told yet, as differences from what it was told. */
export class Deltas {
  readonly #told = new Map<string, TransferView>();
  readonly #changed = new Map<string, TransferView>();
  readonly #removed = new Set<string>();

  add({ changed, removed }: TransferNews): void {
    for (const transfer of changed) {
      this.#removed.delete(transfer.id);
      this.#changed.set(transfer.id, transferView(transfer));
    }
    for (const id of removed) {
      this.#changed.delete(id);
      this.#told.delete(id);
      this.#removed.add(id);
    }
  }

  /** @returns `undefined` when nothing differs. */
  take(): TransferNewsView | undefined {
    const changed = [...this.#changed.values()].flatMap((view) => this.#difference(view) ?? []);
    const removed = [...this.#removed];
    this.#changed.clear();
    this.#removed.clear();
    return changed.length + removed.length === 0 ? undefined : { changed, removed };
  }

  #difference(view: TransferView): Change | undefined {
    const before = this.#told.get(view.id);
    // The one that changed last is at the end.
    this.#told.delete(view.id);
    this.#told.set(view.id, view);
    if (this.#told.size > TOLD_MAX) this.#told.delete(this.#told.keys().next().value!);
    if (!before) return view;
    const old = new Map<string, unknown>(Object.entries(before));
    const fields = Object.entries(view).filter(
      ([key, value]) => JSON.stringify(value) !== JSON.stringify(old.get(key)),
    );
    return fields.length === 0 ? undefined : { id: view.id, ...Object.fromEntries(fields) };
  }
}
