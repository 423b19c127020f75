import { MemoryShare, MemorySupply } from "./memory-share.ts";
import { type GroupLimits, RateGroups } from "./rate-group.ts";
import type { RateLimit } from "./rate-limit.ts";
import { RateShare } from "./rate-share.ts";
import { rateSupply } from "./rate-supply.ts";
import { SlotShares } from "./slot-shares.ts";
import { TurnRing } from "./turn-ring.ts";

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
  /** The group whose limits it shares; only the scheduler writes it. */
  group: string | undefined;
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
  readonly #groups = new RateGroups();
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
      group: undefined,
    };
  }

  /** The torrent shares the limits of a group from now on, or of none. Call `run` afterwards. */
  setGroup(shares: TorrentShares, name: string | undefined): void {
    if (name === shares.group) return;
    const group = name === undefined ? undefined : this.#groups.enter(name);
    shares.down.setGroup(group?.down);
    shares.up.setGroup(group?.up);
    if (shares.group !== undefined) this.#groups.leave(shares.group);
    shares.group = name;
  }

  /** Call `run` afterwards. */
  setGroupLimits(name: string, limits: GroupLimits): void {
    this.#groups.setLimits(name, limits);
  }

  /** A torrent is gone. */
  leave(shares: TorrentShares): void {
    const { down, up, receive, send } = shares;
    this.setGroup(shares, undefined);
    for (const share of [down, up, receive, send]) share.stopWaiting();
  }

  /** Lets waiting torrents take what is available, in turn. */
  run(now: number): void {
    this.#groups.run(now);
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
      this.#groups.nextTurnAtMs(now),
      this.#down.nextTurnAtMs(now),
      this.#up.nextTurnAtMs(now),
      this.#receive.nextTurnAtMs(now),
      this.#send.nextTurnAtMs(now),
    );
  }
}
