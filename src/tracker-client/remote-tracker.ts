import type { AnnounceEvent, OutgoingAnnounce } from "../announce/announce-request.ts";
import type { TrackerReply } from "../announce/http-reply.ts";
import { REACH, reachOf } from "../base/address-reach.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import { wireInfohashes } from "../base/infohash.ts";
import { tcpAddresses } from "../base/peer-address.ts";
import type { SwarmView } from "../engine/session-contract.ts";
import type { DatagramNet } from "../ports/net.ts";
import {
  type AddressFamily,
  type AnnounceOutcome,
  type Announcer,
  familyOf,
  type JudgePeers,
} from "./announce-outcome.ts";

/** Announced by those who take no calls, behind a proxy for instance: trackers refuse 0, and nobody listens there. */
const NO_PORT = 1;
/** Peers asked for in one announce. */
const NUMWANT = 80;

/**
 * The state of our listing at a tracker for one infohash (a hybrid torrent has two, BEP 52) and one address family:
 * the tracker only knows the address that the announce came from (BEP 7).
 */
interface Listing {
  readonly infohash: Uint8Array;
  readonly family: AddressFamily;
  /** It answered `started`. */
  started: boolean;
  /** The download ended while the tracker listed us, and it has not been told yet. */
  owesCompleted: boolean;
  trackerId: Uint8Array | undefined;
  /** The running announce, or the goodbye. */
  pending: Promise<unknown> | undefined;
}

/** The status of a tracker, for people. */
export interface TrackerStatus {
  /** Scheme, host and port only, because paths hold passkeys. */
  readonly name: string;
  /** From 0. */
  readonly tier: number;
  /** `idle`: not asked yet, or another tracker of its tier answers. */
  readonly state: "idle" | "announcing" | "working" | "failing";
  /** Why it fails, or its warning. The text comes from outside. */
  readonly message: string | undefined;
  /** Milliseconds until the next announce; `undefined` when none is planned. */
  readonly nextAnnounceInMs: number | undefined;
  /** Milliseconds since the last announce ended; `undefined` before the first has. */
  readonly announcedAgoMs: number | undefined;
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
  /** 32 random bits, chosen for each session. */
  readonly key: number;
  readonly swarm: SwarmView;
  readonly judgePeers: JudgePeers;
  /** Says why no tracker at an address is asked. */
  readonly refusalOf?: ((address: string) => string | undefined) | undefined;
  /** What the tracker is told of encrypted streams; nothing when `undefined`. */
  readonly encryption?: (() => EncryptionMode) | undefined;
  /** It knows of us from an earlier announce, by another object. */
  readonly isListed?: boolean | undefined;
}

const TOLD_ENCRYPTION = {
  prefer: "supported",
  require: "required",
  off: undefined,
} as const satisfies Record<EncryptionMode, OutgoingAnnounce["encryption"]>;

/** One tracker of one torrent: what it was told, and what it answered last. */
export class RemoteTracker {
  readonly name: string;
  readonly #host: string;
  readonly #options: RemoteTrackerOptions;
  /** Empty until the tracker's addresses are known. */
  readonly #listings: Listing[] = [];
  /** In our own network, or on this machine. */
  #isNear = false;
  #state: TrackerStatus["state"] = "idle";
  #message: string | undefined;
  #lastReply: TrackerReply | undefined;
  /** By the clock; the scheduler sets it. */
  nextAnnounceAtMs: number | undefined;
  announcedAtMs: number | undefined;

  constructor(options: RemoteTrackerOptions) {
    this.#options = options;
    this.name = nameOf(options.url);
    this.#host = URL.parse(options.url)?.hostname ?? "";
  }

  /** True when it answered `started` and no goodbye has been sent. */
  get listsUs(): boolean {
    return this.#listings.some((listing) => listing.started);
  }

  /** True when it must be told that the download has ended. */
  get owesCompleted(): boolean {
    return this.#listings.some((listing) => listing.started && listing.owesCompleted);
  }

  /** The download has ended. A tracker that was never told of the start will only see a seed. */
  handleComplete(): void {
    for (const listing of this.#listings) {
      if (listing.started || listing.pending) listing.owesCompleted = true;
    }
  }

  /**
   * Announces the torrent under each infohash, over each address family of the tracker (BEP 7).
   *
   * @param partialSeed - Everything wanted is here, but not the whole torrent (BEP 21).
   * @returns `undefined` when the signal came first. Otherwise a reply as soon as one infohash was accepted over one
   *   family; the other family may still be waiting, because a network without IPv6 often swallows its packets.
   */
  async announce(signal: AbortSignal, partialSeed: boolean): Promise<AnnounceOutcome | undefined> {
    this.#state = "announcing";
    const { families, refusal } = await this.#resolve();
    const outcome =
      families.length === 0
        ? unreachable(refusal ?? `${this.#host} has no address`)
        : await firstReply(families.map((each) => this.#announceBy(each, signal, partialSeed)));
    if (signal.aborted) {
      this.#state = "idle";
      return undefined;
    }
    this.#keep(outcome);
    return outcome;
  }

  /**
   * Says goodbye where we are listed or may be listed. A running announce may have arrived, so abort its signal
   * first. Later announces wait for the goodbye.
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
    // A command that ends together with its download must report the completion first.
    if (owesCompleted) await this.#send(listing, "completed", signal);
    await this.#send(listing, "stopped", signal);
  }

  status(now: number): TrackerStatus {
    const { nextAnnounceAtMs, announcedAtMs } = this;
    return {
      name: this.name,
      tier: this.#options.tier,
      state: this.#state,
      message: this.#message,
      nextAnnounceInMs:
        nextAnnounceAtMs === undefined ? undefined : Math.max(nextAnnounceAtMs - now, 0),
      announcedAgoMs: announcedAtMs === undefined ? undefined : now - announcedAtMs,
      seeds: this.#lastReply?.complete,
      leechers: this.#lastReply?.incomplete,
      peersGiven: this.#lastReply?.peers.length ?? 0,
    };
  }

  /**
   * @returns The families it has now, each with its listings. When it has none and an address is refused: why.
   */
  async #resolve(): Promise<{
    readonly families: AddressFamily[];
    readonly refusal?: string | undefined;
  }> {
    const { names, swarm, refusalOf = () => undefined } = this.#options;
    const leftBefore = swarm.stats().left;
    const found = await names.resolve(this.#host);
    const addresses = found.filter((address) => refusalOf(address) === undefined);
    if (addresses.length === 0) return { families: [], refusal: found[0] && refusalOf(found[0]) };
    this.#isNear = addresses.every((address) => reachOf(address) !== REACH.world);
    const families = new Set(addresses.map(familyOf));
    const owesCompleted = leftBefore > 0 && swarm.stats().left === 0;
    for (const family of families) {
      if (this.#listings.some((listing) => listing.family === family)) continue;
      for (const infohash of wireInfohashes(swarm.infohashes)) {
        this.#listings.push({
          infohash,
          family,
          started: this.#options.isListed === true,
          owesCompleted,
          trackerId: undefined,
          pending: undefined,
        });
      }
    }
    return { families: [...families].toSorted((a, b) => a - b) };
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
          // Waits for the announce before it, aborted or slow.
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
    // A reply without a tracker id keeps the old one (BEP 3).
    listing.trackerId = outcome.trackerId ?? listing.trackerId;
    this.#lastReply = outcome;
    const { externalAddress, from } = outcome;
    if (externalAddress !== undefined) swarm.handleOuterAddress?.(externalAddress, from);
    if (outcome.peers.length > 0 && swarm.wantsPeers()) {
      swarm.offerPeers(tcpAddresses(judgePeers(outcome.peers, outcome.from)));
    }
    return outcome;
  }

  #send(listing: Listing, event: AnnounceEvent, signal: AbortSignal): Promise<AnnounceOutcome> {
    const { url, announcer, key, swarm, encryption } = this.#options;
    const { uploaded, downloaded, left } = swarm.stats();
    const announce = {
      infohash: listing.infohash,
      peerId: swarm.peerId,
      // A tracker in our own network sees us from inside, and so do the peers that it names us to.
      port: (this.#isNear ? swarm.port() : swarm.outerPort()) || NO_PORT,
      uploaded,
      downloaded,
      left,
      event,
      numwant: event !== "stopped" && swarm.wantsPeers() ? NUMWANT : 0,
      key,
      encryption: encryption && TOLD_ENCRYPTION[encryption()],
      trackerId: listing.trackerId,
    };
    return announcer.announce(url, announce, {
      family: listing.family,
      signal,
      torrent: swarm,
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

/** Marks the listing as busy until the work is done or other work replaces it. */
async function occupy<T>(listing: Listing, work: Promise<T>): Promise<T> {
  listing.pending = work;
  try {
    return await work;
  } finally {
    if (listing.pending === work) listing.pending = undefined;
  }
}

/** @returns The first reply; if there is none, the first outcome once all have arrived. */
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
