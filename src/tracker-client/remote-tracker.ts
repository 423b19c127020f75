import type { AnnounceEvent } from "../announce/announce-request.ts";
import type { TrackerReply } from "../announce/http-reply.ts";
import { wireInfohashes } from "../base/infohash.ts";
import type { SwarmView } from "../engine/session-contract.ts";
import type { DatagramNet } from "../ports/net.ts";
import {
  type AddressFamily,
  type AnnounceOutcome,
  type Announcer,
  familyOf,
  type JudgePeers,
} from "./announce-outcome.ts";

/** Peers asked for in one announce. */
const NUMWANT = 80;

/**
 * What a tracker knows of us under one infohash, of which a hybrid torrent has two (BEP 52), by one address
 * family: it sees no more of us than the address the announce came from (BEP 7).
 */
interface Listing {
  readonly infohash: Uint8Array;
  readonly family: AddressFamily;
  /** It answered `started`. */
  started: boolean;
  /** The download ended while it listed us, and it has not heard so yet. */
  owesCompleted: boolean;
  trackerId: Uint8Array | undefined;
  /** The announce that is under way, or the goodbye. */
  pending: Promise<unknown> | undefined;
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

export interface RemoteTrackerOptions {
  readonly url: string;
  readonly tier: number;
  readonly announcer: Announcer;
  readonly names: Pick<DatagramNet, "resolve">;
  /** 32 bits, random for each session. */
  readonly key: number;
  readonly swarm: SwarmView;
  readonly judgePeers: JudgePeers;
}

/** One tracker of one torrent: what it was told, and what it said last. */
export class RemoteTracker {
  readonly name: string;
  readonly #host: string;
  readonly #options: RemoteTrackerOptions;
  /** None before the tracker's addresses are known. */
  readonly #listings: Listing[] = [];
  #state: TrackerStatus["state"] = "idle";
  #message: string | undefined;
  #lastReply: TrackerReply | undefined;
  /** By the clock; whoever schedules sets it. */
  nextAnnounceAtMs: number | undefined;

  constructor(options: RemoteTrackerOptions) {
    this.#options = options;
    this.name = nameOf(options.url);
    this.#host = URL.parse(options.url)?.hostname ?? "";
  }

  /** True when it answered `started`, and has not heard goodbye. */
  get listsUs(): boolean {
    return this.#listings.some((listing) => listing.started);
  }

  /** True when it has to hear of the end of the download. */
  get owesCompleted(): boolean {
    return this.#listings.some((listing) => listing.started && listing.owesCompleted);
  }

  /** The download has ended. Who never heard that it began will only meet a seed. */
  handleComplete(): void {
    for (const listing of this.#listings) {
      if (listing.started || listing.pending) listing.owesCompleted = true;
    }
  }

  /**
   * Announces the torrent under each of its infohashes, by each address family the tracker has (BEP 7).
   *
   * @param partialSeed - All that is wanted is here, but not all there is (BEP 21).
   * @returns `undefined` when the signal came first. A reply when one infohash was welcome by one family;
   * the other family may still be under way, since a network without IPv6 often only swallows it.
   */
  async announce(signal: AbortSignal, partialSeed: boolean): Promise<AnnounceOutcome | undefined> {
    this.#state = "announcing";
    const families = await this.#resolve();
    const outcome =
      families.length === 0
        ? unreachable(`${this.#host} has no address`)
        : await firstReply(families.map((each) => this.#announceBy(each, signal, partialSeed)));
    if (signal.aborted) {
      this.#state = "idle";
      return undefined;
    }
    this.#keep(outcome);
    return outcome;
  }

  /**
   * Says goodbye where we are listed, or may be: an announce that is under way may have arrived, so give its signal
   * up before. Announces that come later wait for the goodbye.
   */
  async stop(signal: AbortSignal): Promise<void> {
    this.#state = "idle";
    this.nextAnnounceAtMs = undefined;
    const listed = this.#listings.filter(
      ({ started, pending }) => started || pending !== undefined,
    );
    await Promise.all(
      listed.map((listing) => occupy(listing, this.#sayGoodbye(listing, listing.pending, signal))),
    );
  }

  async #sayGoodbye(
    listing: Listing,
    underWay: Promise<unknown> | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await underWay;
    const owesCompleted = listing.started && listing.owesCompleted;
    listing.started = false;
    // A command that ends with its download has news to tell first.
    if (owesCompleted) await this.#send(listing, "completed", signal);
    await this.#send(listing, "stopped", signal);
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

  /** @returns The families it has now; all of them have listings. */
  async #resolve(): Promise<AddressFamily[]> {
    const { names, swarm } = this.#options;
    const leftBefore = swarm.stats().left;
    const families = new Set((await names.resolve(this.#host)).map(familyOf));
    const owesCompleted = leftBefore > 0 && swarm.stats().left === 0;
    for (const family of families) {
      if (this.#listings.some((listing) => listing.family === family)) continue;
      for (const infohash of wireInfohashes(swarm.infohashes)) {
        this.#listings.push({
          infohash,
          family,
          started: false,
          owesCompleted,
          trackerId: undefined,
          pending: undefined,
        });
      }
    }
    return [...families].toSorted((a, b) => a - b);
  }

  async #announceBy(
    family: AddressFamily,
    signal: AbortSignal,
    partialSeed: boolean,
  ): Promise<AnnounceOutcome | undefined> {
    const outcomes = await Promise.all(
      this.#listings
        .filter((listing) => listing.family === family)
        .map(async (listing) => {
          // The one before it, given up or slow.
          while (listing.pending) await listing.pending;
          return occupy(listing, this.#announceListing(listing, signal, partialSeed));
        }),
    );
    return outcomes.find((each) => each?.kind === "reply") ?? outcomes[0];
  }

  async #announceListing(
    listing: Listing,
    signal: AbortSignal,
    partialSeed: boolean,
  ): Promise<AnnounceOutcome> {
    const { swarm, judgePeers } = this.#options;
    const event = eventFor(listing, partialSeed);
    const outcome = await this.#send(listing, event, signal);
    if (outcome.kind !== "reply" || signal.aborted) return outcome;
    listing.started = true;
    if (event === "completed") listing.owesCompleted = false;
    // A reply without one leaves the old one in force (BEP 3).
    listing.trackerId = outcome.trackerId ?? listing.trackerId;
    this.#lastReply = outcome;
    if (outcome.peers.length > 0 && swarm.wantsPeers()) {
      swarm.offerPeers(judgePeers(outcome.peers, outcome.from));
    }
    return outcome;
  }

  #send(listing: Listing, event: AnnounceEvent, signal: AbortSignal): Promise<AnnounceOutcome> {
    const { url, announcer, key, swarm } = this.#options;
    const { uploaded, downloaded, left } = swarm.stats();
    const announce = {
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
    };
    return announcer.announce(url, announce, { family: listing.family, signal });
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

/** The listing is in use until the work is done, or other work takes its place. */
async function occupy<T>(listing: Listing, work: Promise<T>): Promise<T> {
  listing.pending = work;
  try {
    return await work;
  } finally {
    if (listing.pending === work) listing.pending = undefined;
  }
}

/** @returns The first reply; when there is none, the first outcome, once all are there. */
function firstReply(
  outcomes: readonly Promise<AnnounceOutcome | undefined>[],
): Promise<AnnounceOutcome | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<AnnounceOutcome | undefined>();
  for (const each of outcomes) {
    each.then((outcome) => outcome?.kind === "reply" && resolve(outcome), reject);
  }
  Promise.all(outcomes).then((all) => resolve(all[0]), reject);
  return promise;
}

function unreachable(message: string): AnnounceOutcome {
  return { kind: "unreachable", message };
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
