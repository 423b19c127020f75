import { lineOf } from "../base/address-line.ts";
import { LineLoads } from "../base/line-loads.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { OutsideFaults } from "../ports/outside-faults.ts";
import { breakOff } from "./break-off.ts";
import type { RequestContext } from "../ports/web.ts";

const TICK_MS = 1_000;
/** Proxies and browsers drop streams that are silent for longer. */
const HEARTBEAT_TICKS = 15;
/** Streams open at once; each costs a socket and one check a second. */
const STREAMS_MAX = 2_000;
/** Streams that one line counts for: an IPv4 address or an IPv6 /64, with the share of its site. */
const STREAMS_PER_LINE_MAX = 100;
/** Events that a reader may lag behind; newer ones replace those it never read. */
const BACKLOG_EVENTS = 8;
/** A reader that took nothing for this many ticks is dropped (HUB-21). */
const STUCK_TICKS_MAX = 60;

interface Watcher {
  readonly key: string;
  readonly context: RequestContext;
  readonly line: string;
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  last: string;
  silentTicks: number;
  stuckTicks: number;
}

const ENCODER = new TextEncoder();

/**
 * Server-sent events with the figures of torrents: at most one event a second for each reader, and only on a change.
 * One timer serves all readers, and one look serves all readers of a torrent.
 */
export class LiveFigures {
  readonly #clock: Clock;
  readonly #faults: OutsideFaults;
  readonly #watchers = new Set<Watcher>();
  readonly #loads = new LineLoads();
  readonly #looks = new Map<string, () => unknown>();
  #timer: Timer | undefined;

  constructor(clock: Clock, faults: OutsideFaults) {
    this.#clock = clock;
    this.#faults = faults;
  }

  /** Readers connected now. */
  get size(): number {
    return this.#watchers.size;
  }

  /**
   * @param key - Readers with the same key get the same figures.
   * @param look - Returns the current figures.
   * @returns `undefined` when there are too many readers.
   */
  open(key: string, context: RequestContext, look: () => unknown): Response | undefined {
    const line = lineOf(context.remoteAddress);
    const mine = this.#loads.of(line);
    if (mine >= STREAMS_PER_LINE_MAX) return undefined;
    if (this.#watchers.size >= STREAMS_MAX && !this.#makeRoom(mine)) return undefined;
    let watcher: Watcher | undefined;
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          watcher = { key, context, line, controller, last: "", silentTicks: 0, stuckTicks: 0 };
          this.#watchers.add(watcher);
          this.#loads.add(line);
          this.#looks.set(key, look);
          this.#tell(watcher, JSON.stringify(look()));
          this.#schedule();
        },
        cancel: () => {
          if (watcher) this.#forget(watcher);
        },
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

  /**
   * A stream sends nothing while nothing changes, so its speed does not tell an idle holder from an active one: the
   * line that counts for most streams gives up its oldest if it counts for at least two more than the asker's line
   * (HUB-47).
   */
  #makeRoom(mine: number): boolean {
    let oldest: Watcher | undefined;
    let most = 0;
    // Oldest first.
    for (const watcher of this.#watchers) {
      const load = this.#loads.of(watcher.line);
      if (load > most) [oldest, most] = [watcher, load];
    }
    if (!oldest || most < mine + 2) return false;
    this.#forget(oldest);
    // Browsers reconnect by themselves.
    oldest.controller.close();
    return true;
  }

  /** Ends the streams of one key; a client that reconnects is told why. */
  end(key: string): void {
    for (const watcher of this.#watchers) {
      if (watcher.key !== key) continue;
      this.#forget(watcher);
      watcher.controller.close();
    }
  }

  /** Ends all streams; browsers reconnect by themselves. */
  close(): void {
    for (const watcher of this.#watchers) {
      this.#forget(watcher);
      watcher.controller.close();
    }
  }

  #schedule(): void {
    this.#timer ??= this.#clock.startTimer(TICK_MS, () => {
      this.#timer = undefined;
      this.#tick();
      if (this.#watchers.size > 0) this.#schedule();
    });
  }

  #tick(): void {
    const texts = new Map<string, string>();
    for (const [key, look] of this.#looks) texts.set(key, JSON.stringify(look()));
    for (const watcher of this.#watchers) this.#tell(watcher, texts.get(watcher.key)!);
  }

  #tell(watcher: Watcher, text: string): void {
    if ((watcher.controller.desiredSize ?? 0) <= 0) {
      watcher.stuckTicks += 1;
      if (watcher.stuckTicks < STUCK_TICKS_MAX) return;
      this.#forget(watcher);
      const { controller, context } = watcher;
      this.#faults.count("stuck-reader", { address: context.remoteAddress });
      breakOff(controller, context, new Error("the reader does not read"));
      return;
    }
    watcher.stuckTicks = 0;
    watcher.silentTicks += 1;
    if (text !== watcher.last) {
      watcher.last = text;
      watcher.silentTicks = 0;
      watcher.controller.enqueue(ENCODER.encode(`event: figures\ndata: ${text}\n\n`));
    } else if (watcher.silentTicks >= HEARTBEAT_TICKS) {
      watcher.silentTicks = 0;
      watcher.controller.enqueue(ENCODER.encode(": still here\n\n"));
    }
  }

  #forget(watcher: Watcher): void {
    if (!this.#watchers.delete(watcher)) return;
    this.#loads.remove(watcher.line);
    for (const other of this.#watchers) if (other.key === watcher.key) return;
    this.#looks.delete(watcher.key);
    if (this.#watchers.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
