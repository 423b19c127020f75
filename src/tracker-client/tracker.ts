import type { AnnounceEvent } from "../announce/announce-request.ts";
import type { TrackerReply } from "../announce/http-reply.ts";
import { wireInfohashes } from "../base/infohash.ts";
import type { SwarmView } from "../engine/session-contract.ts";
import type { AnnounceOutcome, Announcer } from "./announce-outcome.ts";
import type { AnnounceSlots } from "./announce-slots.ts";

/** Peers asked for in one announce. */
const NUMWANT = 80;

/** What a tracker knows of us under one infohash; a hybrid torrent has two (BEP 52). */
interface Listing {
  readonly infohash: Uint8Array;
  /** It answered `started`. */
  started: boolean;
  /** The download ended while it listed us, and it has not heard so yet. */
  owesCompleted: boolean;
  trackerId: Uint8Array | undefined;
}

/** What people may know of a tracker. */
export interface TrackerStatus {
  /** Scheme, host and port: paths hold passkeys. */
  readonly name: string;
  /** From 0. */
  readonly tier: number;
  /** `idle`: not asked yet, or another one of its tier answers. */
  readonly state: "idle" | "announcing" | "working" | "failing";
  /** Why it fails, or its warning. Text from outside. */
  readonly message: string | undefined;
  /** Milliseconds until it is asked again; `undefined` when that is not planned. */
  readonly nextAnnounceInMs: number | undefined;
  readonly seeds: number | undefined;
  readonly leechers: number | undefined;
  /** Peers in its last answer. */
  readonly peersGiven: number;
}

export interface TrackerOptions {
  readonly url: string;
  readonly tier: number;
  readonly announcer: Announcer;
  readonly slots: AnnounceSlots;
  /** 32 bits, random for each session. */
  readonly key: number;
  readonly swarm: SwarmView;
}

/** One tracker of one torrent: what it was told, and what it said last. */
export class Tracker {
  readonly name: string;
  readonly #options: TrackerOptions;
  readonly #listings: readonly Listing[];
  #state: TrackerStatus["state"] = "idle";
  #message: string | undefined;
  #lastReply: TrackerReply | undefined;
  /** By the clock; whoever schedules sets it. */
  nextAnnounceAtMs: number | undefined;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.name = nameOf(options.url);
    this.#listings = wireInfohashes(options.swarm.infohashes).map((infohash) => ({
      infohash,
      started: false,
      owesCompleted: false,
      trackerId: undefined,
    }));
  }

  /** True when it has to hear of the end of the download. */
  get owesCompleted(): boolean {
    return this.#listings.some((listing) => listing.started && listing.owesCompleted);
  }

  /** The download has ended. Who never heard that it began will only meet a seed. */
  handleComplete(): void {
    for (const listing of this.#listings) {
      if (listing.started || this.#state === "announcing") listing.owesCompleted = true;
    }
  }

  /**
   * Announces the torrent under each of its infohashes.
   *
   * @param partialSeed - All that is wanted is here, but not all there is (BEP 21).
   * @returns `undefined` when the signal came first. A reply when one infohash was welcome.
   */
  async announce(signal: AbortSignal, partialSeed: boolean): Promise<AnnounceOutcome | undefined> {
    this.#state = "announcing";
    const outcomes = await Promise.all(
      this.#listings.map((listing) => this.#announceListing(listing, signal, partialSeed)),
    );
    if (signal.aborted) {
      this.#state = "idle";
      return undefined;
    }
    const outcome = outcomes.find((each) => each?.kind === "reply") ?? outcomes[0];
    this.#keep(outcome);
    return outcome;
  }

  /** Says goodbye where we are listed; a command that ends with its download has news to tell first. */
  async stop(signal: AbortSignal): Promise<void> {
    await Promise.all(
      this.#listings.map(async (listing) => {
        if (!listing.started) return;
        listing.started = false;
        if (listing.owesCompleted) await this.#send(listing, "completed", signal);
        await this.#send(listing, "stopped", signal);
      }),
    );
  }

  status(now: number): TrackerStatus {
    const { nextAnnounceAtMs } = this;
    return {
      name: this.name,
      tier: this.#options.tier,
      state: this.#state,
      message: this.#message,
      nextAnnounceInMs:
        nextAnnounceAtMs === undefined ? undefined : Math.max(nextAnnounceAtMs - now, 0),
      seeds: this.#lastReply?.complete,
      leechers: this.#lastReply?.incomplete,
      peersGiven: this.#lastReply?.peers.length ?? 0,
    };
  }

  async #announceListing(
    listing: Listing,
    signal: AbortSignal,
    partialSeed: boolean,
  ): Promise<AnnounceOutcome | undefined> {
    const { swarm } = this.#options;
    const event = eventFor(listing, partialSeed);
    const outcome = await this.#send(listing, event, signal);
    if (outcome?.kind !== "reply" || signal.aborted) return outcome;
    listing.started = true;
    if (event === "completed") listing.owesCompleted = false;
    // A reply without one leaves the old one in force (BEP 3).
    listing.trackerId = outcome.trackerId ?? listing.trackerId;
    // Known before the peers are: a guard judges them by who named them.
    this.#lastReply = outcome;
    if (outcome.peers.length > 0 && swarm.wantsPeers()) swarm.offerPeers(outcome.peers);
    return outcome;
  }

  #send(
    listing: Listing,
    event: AnnounceEvent,
    signal: AbortSignal,
  ): Promise<AnnounceOutcome | undefined> {
    const { url, announcer, slots, key, swarm } = this.#options;
    return slots.run(signal, () => {
      const { uploaded, downloaded, left } = swarm.stats();
      return announcer.announce(
        url,
        {
          infohash: listing.infohash,
          peerId: swarm.peerId,
          port: swarm.port(),
          uploaded,
          downloaded,
          left,
          event,
          numwant: event !== "stopped" && swarm.wantsPeers() ? NUMWANT : 0,
          key,
          trackerId: listing.trackerId,
        },
        signal,
      );
    });
  }

  #keep(outcome: AnnounceOutcome | undefined): void {
    switch (outcome?.kind) {
      case "reply":
        this.#state = "working";
        this.#message = outcome.warning;
        this.#lastReply = outcome;
        break;
      case "failure":
        this.#state = "failing";
        this.#message = outcome.reason;
        break;
      case "unreachable":
        this.#state = "failing";
        this.#message = outcome.message;
        break;
      case undefined:
        break;
    }
  }
}

function eventFor(listing: Listing, partialSeed: boolean): AnnounceEvent {
  if (!listing.started) return "started";
  if (listing.owesCompleted) return "completed";
  return partialSeed ? "paused" : "none";
}

function nameOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed ? `${parsed.protocol}//${parsed.host}` : "an unreadable address";
}
