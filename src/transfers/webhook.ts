import { decodeUtf8, encodeUtf8, toHex } from "../base/bytes.ts";
import { hmacSha256 } from "../base/hash.ts";
import { isoTime } from "../base/iso-time.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { TransferEvent, TransferEventKind } from "./transfer-events.ts";

/** Deliveries that wait; the oldest give way. */
const QUEUE_MAX = 1_000;
/** Then a delivery is given up. */
const AGE_MS_MAX = 24 * 3_600_000;
/** After failures in a row; the last holds from then on. */
const PAUSES_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000] as const;
/** A server that refuses a delivery this often does not want it. */
const REFUSALS_MAX = 3;
/** Deliveries become durable within this time. */
const SAVE_MS = 1_000;
const DELIVERY_ID_BYTES = 16;

export interface WebhookParts {
  /** Signs each delivery; unsigned without it. */
  readonly secret: Uint8Array | undefined;
  readonly events: ReadonlySet<TransferEventKind>;
  /**
   * Posts a body to the owner's server, and follows no redirect. @returns The status. @throws (rejects) When nothing
   * answers.
   */
  readonly post: (
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<number>;
  readonly files: Pick<Files, "read" | "write">;
  /** The file of deliveries that wait, absolute. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly body: string;
  /** Wall milliseconds. */
  readonly atMs: number;
  readonly refusals: number;
}

/**
 * Tells a server of the owner what happens to transfers, one delivery after the other. What waits survives a restart; a
 * server that is away delays deliveries, and never a transfer.
 */
export class Webhook {
  readonly #parts: WebhookParts;
  #queue: readonly Delivery[] = [];
  #failures = 0;
  #retry: Timer | undefined;
  #save: Timer | undefined;
  #saving: Promise<void> = Promise.resolve();
  #sending: Promise<void> | undefined;
  readonly #stop = new AbortController();

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /** Goes on with what an earlier run left. */
  async begin(): Promise<void> {
    const bytes = await this.#parts.files.read(this.#parts.path);
    this.#queue = [...(bytes ? deliveriesIn(bytes) : []), ...this.#queue].slice(-QUEUE_MAX);
    this.#send();
  }

  handle(event: TransferEvent): void {
    const { events, clock, random, log } = this.#parts;
    if (!events.has(event.kind) || this.#stop.signal.aborted) return;
    const id = toHex(random.bytes(DELIVERY_ID_BYTES));
    const atMs = clock.wallMs();
    const body = JSON.stringify(bodyOf(event, { id, atMs }));
    if (this.#queue.length >= QUEUE_MAX) {
      log.warn("a delivery of the webhook is lost: too many wait", {
        delivery: this.#queue[0]!.id,
      });
    }
    this.#queue = [...this.#queue, { id, event: event.kind, body, atMs, refusals: 0 }].slice(
      -QUEUE_MAX,
    );
    this.#saveSoon();
    this.#send();
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the node is stopping"));
    this.#retry?.cancel();
    this.#save?.cancel();
    await this.#sending;
    await this.#saveNow();
  }

  #send(): void {
    const [delivery] = this.#queue;
    if (!delivery || this.#sending || this.#retry || this.#stop.signal.aborted) return;
    this.#sending = this.#deliver(delivery).then(() => {
      this.#sending = undefined;
      this.#send();
    });
  }

  /** Never rejects. */
  async #deliver(delivery: Delivery): Promise<void> {
    const { post, secret, log, clock } = this.#parts;
    const { id, event } = delivery;
    const body = encodeUtf8(delivery.body);
    let why: string;
    let isRefused = false;
    try {
      const headers = {
        "content-type": "application/json",
        "x-everseed-event": event,
        "x-everseed-delivery": id,
        ...(secret && { "x-everseed-signature": `sha256=${toHex(hmacSha256(secret, body))}` }),
      };
      const status = await post(body, headers, this.#stop.signal);
      if (status >= 200 && status < 300) {
        this.#failures = 0;
        this.#forget(delivery);
        return;
      }
      why = `the server answers ${status}`;
      isRefused = status >= 300 && status < 500 && status !== 408 && status !== 429;
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      why = error instanceof Error ? error.message : String(error);
    }
    const refusals = delivery.refusals + (isRefused ? 1 : 0);
    if (refusals >= REFUSALS_MAX || clock.wallMs() - delivery.atMs > AGE_MS_MAX) {
      log.error("a delivery of the webhook is given up", { delivery: id, event, why });
      this.#forget(delivery);
      return;
    }
    this.#queue = this.#queue.map((each) => (each === delivery ? { ...each, refusals } : each));
    if (this.#failures === 0) log.warn("the webhook cannot deliver; it goes on trying", { why });
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)]!;
    this.#failures += 1;
    this.#retry = clock.startTimer(pause, () => {
      this.#retry = undefined;
      this.#send();
    });
  }

  #forget(delivery: Delivery): void {
    this.#queue = this.#queue.filter((each) => each.id !== delivery.id);
    this.#saveSoon();
  }

  #saveSoon(): void {
    this.#save ??= this.#parts.clock.startTimer(SAVE_MS, () => {
      this.#save = undefined;
      void this.#saveNow();
    });
  }

  /** Never rejects: a disk that refuses costs what a kill would cost. */
  #saveNow(): Promise<void> {
    const { files, path, log } = this.#parts;
    this.#saving = this.#saving.then(async () => {
      try {
        await files.write(path, encodeUtf8(JSON.stringify(this.#queue)));
      } catch (error) {
        log.warn("the deliveries of the webhook were not saved", { why: String(error) });
      }
    });
    return this.#saving;
  }
}

/** What the server gets. Fields are only ever added. */
function bodyOf(
  event: TransferEvent,
  { id, atMs }: { readonly id: string; readonly atMs: number },
) {
  const { v1, v2 } = event.infohashes;
  return {
    event: event.kind,
    delivery: id,
    at: isoTime(atMs),
    transfer: {
      id: event.id,
      infohashV1: v1 ? toHex(v1) : null,
      infohashV2: v2 ? toHex(v2) : null,
      name: event.name,
      folder: event.folder,
      path: event.path ?? null,
      label: event.label ?? null,
      size: event.size ?? null,
      cause: event.message ?? null,
    },
  };
}

/** A damaged file costs its deliveries, not the start. */
function deliveriesIn(bytes: Uint8Array): readonly Delivery[] {
  try {
    const value: unknown = JSON.parse(decodeUtf8(bytes));
    return Array.isArray(value) ? value.filter(isDelivery) : [];
  } catch {
    return [];
  }
}

function isDelivery(value: unknown): value is Delivery {
  if (typeof value !== "object" || value === null) return false;
  const { id, event, body, atMs, refusals } = value as Partial<Record<keyof Delivery, unknown>>;
  const texts = [id, event, body].every((each) => typeof each === "string");
  return texts && [atMs, refusals].every((each) => typeof each === "number");
}
