import { BLOCK_BYTES } from "../../base/geometry.ts";
import { MemoryShare, MemorySupply } from "./memory-share.ts";
import type { RateLimit } from "./rate-limit.ts";
import { RateShare } from "./rate-share.ts";
import { SlotShares } from "./slot-shares.ts";
import { type Supply, TurnRing } from "./turn-ring.ts";

/** A turn is worth the bytes that pass in this time, divided among those that wait... */
const TURN_MS = 50;
/** ...within these bounds. The minimum is a block, the maximum is what a fast peer gets at once. */
const TURN_BYTES_MIN = BLOCK_BYTES;
const TURN_BYTES_MAX = 256 * 1024;

/** Memory that others wait for is idle for at most this long. */
const STUCK_MS = 1_000;

/** A torrent's action in its turn. @returns Whether it wants more than it was allowed. */
type Use = (now: number) => boolean;

export interface TorrentTurns {
  readonly down: Use;
  readonly up: Use;
  readonly receive: Use;
  readonly send: Use;
}

/** One torrent's share of everything scarce. */
export interface TorrentShares {
  readonly down: RateShare;
  readonly up: RateShare;
  readonly receive: MemoryShare;
  readonly send: MemoryShare;
}

export interface SchedulerOptions {
  readonly downLimit: RateLimit;
  readonly upLimit: RateLimit;
  readonly uploadSlots: number;
  /** A torrent waits: call `run` at `nextTurnAtMs`, or when memory is returned. */
  readonly onWaiting: () => void;
  /** Memory that a torrent waits for was returned: call `run` when the burst is over. */
  readonly onRoom: () => void;
}

/** Shares scarce resources among the torrents of a session: in turns what is used up, in rounds what is held. */
export class Scheduler {
  readonly slots: SlotShares;
  readonly #down: TurnRing;
  readonly #up: TurnRing;
  readonly #receive: TurnRing;
  readonly #send: TurnRing;
  readonly #receiveMemory = new MemorySupply();
  readonly #sendMemory = new MemorySupply();
  readonly #options: SchedulerOptions;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    const { uploadSlots, upLimit } = options;
    this.slots = new SlotShares({ uploadSlots, isLimited: () => upLimit.bytesPerSecond > 0 });
    this.#down = new TurnRing(rateSupply(options.downLimit));
    this.#up = new TurnRing(rateSupply(options.upLimit));
    this.#receive = new TurnRing(this.#receiveMemory);
    this.#send = new TurnRing(this.#sendMemory);
  }

  /** @param own - The torrent's own limits, which apply in addition to the shared ones. */
  join(
    turns: TorrentTurns,
    own: { readonly down: RateLimit; readonly up: RateLimit },
  ): TorrentShares {
    const { onWaiting, onRoom } = this.#options;
    return {
      down: new RateShare({ ring: this.#down, own: own.down, use: turns.down, onWaiting }),
      up: new RateShare({ ring: this.#up, own: own.up, use: turns.up, onWaiting }),
      receive: new MemoryShare({
        ring: this.#receive,
        supply: this.#receiveMemory,
        use: turns.receive,
        onWaiting,
        onRoom,
        triesItself: true,
      }),
      send: new MemoryShare({
        ring: this.#send,
        supply: this.#sendMemory,
        use: turns.send,
        onWaiting,
        onRoom,
        triesItself: false,
      }),
    };
  }

  /** A torrent is gone. */
  leave({ down, up, receive, send }: TorrentShares): void {
    for (const share of [down, up, receive, send]) share.stopWaiting();
  }

  /** Lets waiting torrents take what is available, in turn. */
  run(now: number): void {
    this.#down.run(now);
    this.#up.run(now);
    this.#receive.run(now);
    this.#send.run(now);
  }

  /** A torrent waits for receive memory, and none was returned for a while: idle memory must be freed. */
  isReceiveStuck(now: number): boolean {
    return !this.#receive.isEmpty && this.#receiveMemory.isShortSince(now - STUCK_MS);
  }

  /** Memory may have been returned without notice: other parts of the program use it too. */
  retryMemory(): void {
    this.#receiveMemory.handleRoom();
    this.#sendMemory.handleRoom();
  }

  nextTurnAtMs(now: number): number {
    return Math.min(
      this.#down.nextTurnAtMs(now),
      this.#up.nextTurnAtMs(now),
      this.#receive.nextTurnAtMs(now),
      this.#send.nextTurnAtMs(now),
    );
  }
}

function rateSupply(limit: RateLimit): Supply {
  return {
    available: (now) => limit.available(now),
    take: (bytes, now) => limit.take(bytes, now),
    nextAvailable: (now) => limit.nextAvailable(now),
    unitsMin: TURN_BYTES_MIN,
    quantum: (waiting) => {
      const bytes = (limit.bytesPerSecond * TURN_MS) / 1000 / waiting;
      return Math.min(TURN_BYTES_MAX, Math.max(TURN_BYTES_MIN, bytes));
    },
  };
}
