import { toHex } from "../base/bytes.ts";
import { wireInfohashes, type Infohashes } from "../base/infohash.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { CatalogueStripe, type Turn } from "./catalogue-stripe.ts";
import type { Dht, Found } from "./dht.ts";
import { announceArgs, storeAt } from "./peer-search.ts";
import { BUCKET_NODES } from "./routing-table.ts";
import { TokenBucket } from "../base/token-bucket.ts";

/** Stripes by the first byte of the infohash: so many announces are under way at most. */
const STRIPES = 256;
/** Nodes forget a peer half an hour after its announce; a lookup takes seconds. */
const ROUND_MS = 25 * 60_000;
/** The first round after a start is shorter: torrents a second, and the longest. */
const FIRST_ROUND_TORRENTS_PER_SECOND = 2;
const FIRST_ROUND_MS_MAX = 5 * 60_000;
/** Nodes that get an announce when the budget is short. */
const NODES_MIN = 4;
/** Queries of a lookup besides those to the nodes that it finds. */
const WAY_QUERIES = 4;
/** Nodes that one lookup asks at the same time: a tenth less traffic than with four. */
const ASKED_AT_ONCE = 2;
/** Queries that may be sent at once by a small budget: one announce must fit. */
const BURST_MIN = 64;
/** Between two looks at the stripes: while one of them is late, while no network is joined, at most. */
const LOOK_MS = 100;
const LOOK_AWAY_MS = 1000;
const LOOK_MS_MAX = 60_000;

export interface CatalogueOptions {
  readonly dht: Dht;
  readonly clock: Clock;
  /** Where the world connects; asked for each announce, because a router may map another number later. */
  readonly port: () => number;
  /** As `DhtSourceOptions.utpPort`. */
  readonly utpPort?: number | undefined;
  /** Queries a second for all torrents together. */
  readonly queriesPerSecond: number;
}

export interface CatalogueStatus {
  /** A hybrid torrent has two. */
  readonly infohashes: number;
  /** Those that the DHT has, as far as we know. */
  readonly announced: number;
  /** Nodes that get each announce. */
  readonly nodesEach: number;
  /** How long a round takes, by its torrents, the queries that one takes, and the budget. */
  readonly roundMs: number;
  /** When a round of all torrents last ended, of the clock; `undefined` in the first round. */
  readonly lastRoundMs: number | undefined;
  /** Queries sent since the start, and announces that nodes took. */
  readonly queries: number;
  readonly taken: number;
}

/**
 * Announces a catalogue of torrents, nearly all of them asleep, in the DHT (BEP 5).
 *
 * The space of infohashes is cut in stripes; each announces one torrent at a time, in order, so that a lookup begins where
 * the one before ended. Announces are spread evenly over a round. A budget bounds the queries: when it is too small for all
 * torrents, fewer nodes get each announce, and then rounds take longer.
 *
 * It knows no torrent that it is not told of: private ones never come here (DHT-7).
 */
export class CatalogueAnnouncer {
  readonly #options: CatalogueOptions;
  readonly #budget: TokenBucket;
  #stripes: readonly CatalogueStripe[] = [];
  /** Told before the start. */
  #early: Uint8Array[] = [];
  /** Torrents of which our copy is not whole: we are no seed of them. */
  readonly #partial = new Set<string>();
  #count = 0;
  /** Queries of a lookup, the mean of the last ones. */
  #lookupQueries = BUCKET_NODES + WAY_QUERIES;
  /** The stripe that is looked at first, so that none always comes last. */
  #first = 0;
  #rounds = 0;
  #lastRoundMs: number | undefined;
  #queries = 0;
  #taken = 0;
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(options: CatalogueOptions) {
    const { queriesPerSecond, clock } = options;
    this.#options = options;
    const burst = Math.max(BURST_MIN, queriesPerSecond);
    this.#budget = new TokenBucket({ perSecond: queriesPerSecond, burst }, clock.nowMs());
  }

  /** Begins with what was told before. Infohashes that are added later are new. */
  start(): void {
    const startMs = this.#options.clock.nowMs();
    const firstRoundMs = (): number =>
      Math.min(FIRST_ROUND_MS_MAX, (this.#count * 1000) / FIRST_ROUND_TORRENTS_PER_SECOND);
    const times = { startMs, firstRoundMs, roundMs: ROUND_MS };
    this.#stripes = Array.from(
      { length: STRIPES },
      (_, index) => new CatalogueStripe({ ...times, phase: index / STRIPES }),
    );
    for (const infohash of this.#early.splice(0)) this.#stripe(infohash).add(infohash, false);
    this.#recount();
    this.#look();
  }

  /** A public torrent is published; its infohashes are announced soon. Safe to repeat. */
  add(infohashes: Infohashes): void {
    for (const infohash of wireInfohashes(infohashes)) {
      if (this.#stripes.length === 0) this.#early.push(Uint8Array.from(infohash));
      else this.#stripe(infohash).add(infohash, true);
    }
    if (this.#stripes.length === 0) return;
    this.#recount();
    this.#lookBy(this.#options.clock.nowMs());
  }

  /** A torrent is published no more. The DHT knows no goodbye: nodes forget it in half an hour. */
  delete(infohashes: Infohashes): void {
    for (const infohash of wireInfohashes(infohashes)) {
      this.#partial.delete(toHex(infohash));
      if (this.#stripes.length > 0) this.#stripe(infohash).delete(infohash);
      else this.#early = this.#early.filter((other) => toHex(other) !== toHex(infohash));
    }
    this.#recount();
  }

  /** Tells whether our copy is whole, and we are a seed (BEP 33). */
  setWhole(infohashes: Infohashes, isWhole: boolean): void {
    for (const infohash of wireInfohashes(infohashes)) {
      if (isWhole) this.#partial.delete(toHex(infohash));
      else this.#partial.add(toHex(infohash));
    }
  }

  status(): CatalogueStatus {
    const nodesEach = this.#nodesEach();
    const queries = this.#count * (this.#lookupQueries + nodesEach);
    return {
      infohashes: this.#count,
      announced: this.#stripes.reduce((sum, stripe) => sum + stripe.announced, 0),
      nodesEach,
      roundMs: Math.max(ROUND_MS, (queries * 1000) / this.#options.queriesPerSecond),
      lastRoundMs: this.#lastRoundMs,
      queries: this.#queries,
      taken: this.#taken,
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    for (const stripe of this.#stripes) stripe.stop();
  }

  #stripe(infohash: Uint8Array): CatalogueStripe {
    return this.#stripes[infohash[0]!]!;
  }

  #recount(): void {
    this.#count = this.#stripes.reduce((sum, { infohashes }) => sum + infohashes.count, 0);
  }

  #lookBy(atMs: number): void {
    if (this.#isClosed || this.#timerMs <= atMs) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#timerMs = atMs;
    this.#timer = clock.startTimer(Math.max(0, Math.ceil(atMs - clock.nowMs())), () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#look();
    });
  }

  /** Begins the announces that are due, as far as the budget goes. */
  #look(): void {
    const now = this.#options.clock.nowMs();
    this.#noteRound(now);
    this.#lookBy(this.#options.dht.isJoined ? this.#begin(now) : now + LOOK_AWAY_MS);
  }

  /** @returns When to look again. */
  #begin(now: number): number {
    let nextMs = now + LOOK_MS_MAX;
    const from = this.#first;
    for (let i = 0; i < STRIPES; i += 1) {
      const index = (from + i) % STRIPES;
      const stripe = this.#stripes[index]!;
      const dueMs = stripe.nextMs(now);
      if (dueMs > now) {
        nextMs = Math.min(nextMs, dueMs);
        continue;
      }
      const cost = Math.ceil(this.#lookupQueries) + this.#nodesEach();
      if (!this.#budget.take(cost, now)) {
        this.#first = index;
        return now + LOOK_MS;
      }
      this.#announce(stripe, stripe.take(now), cost);
    }
    return Math.max(nextMs, now + LOOK_MS);
  }

  #announce(stripe: CatalogueStripe, turn: Turn, cost: number): void {
    const { dht, clock, port } = this.#options;
    const { infohash } = turn;
    const now = clock.nowMs();
    const seed = !this.#partial.has(toHex(infohash));
    const announce = { port: port(), isPortImplied: port() === this.#options.utpPort, seed };
    const args = announceArgs(infohash, announce);
    const end = dht.search({
      target: infohash,
      method: "get_peers",
      // Seeds are left out of the answers: they would be bytes for nothing.
      args: { noseed: 1 },
      closestMax: this.#nodesEach(),
      // Nobody waits for it.
      askedAtOnce: ASKED_AT_ONCE,
      known: (family) => stripe.near(family).nearest(infohash, now),
      onReply: () => false,
      onDone: (found) => {
        const doneMs = clock.nowMs();
        const queries = this.#noteFound(stripe, found, doneMs);
        this.#queries += queries;
        this.#budget.spend(queries - cost, doneMs);
        storeAt(
          dht,
          found,
          {
            method: "announce_peer",
            argsFor: () => args,
            onAsked: ({ contact }, asked) => {
              if (asked.kind === "reply") return;
              const family = contact.endpoint.address.includes(":") ? 6 : 4;
              stripe.near(family).forget(contact.endpoint);
            },
          },
          ({ stored }) => {
            this.#taken += stored;
            const endMs = clock.nowMs();
            stripe.handleEnd(turn, stored > 0, endMs);
            this.#lookBy(Math.max(stripe.nextMs(endMs), endMs + LOOK_MS));
          },
        );
      },
    });
    turn.end = end;
  }

  /** @returns The queries of a lookup, and of the announces that follow. */
  #noteFound(stripe: CatalogueStripe, found: readonly Found[], now: number): number {
    let lookupQueries = 0;
    let announces = 0;
    for (const { node, outcome } of found) {
      const near = stripe.near(node.family);
      for (const endpoint of outcome.silent) near.forget(endpoint);
      // The closest is noted last: it is the one to be remembered longest.
      for (const closeNode of outcome.closest.toReversed()) near.note(closeNode, now);
      lookupQueries += outcome.queries;
      announces += outcome.closest.filter(({ token }) => token).length;
    }
    this.#lookupQueries += (lookupQueries - this.#lookupQueries) / 64;
    return lookupQueries + announces;
  }

  /** Nodes that get each announce: a bucket of them when the budget allows it. */
  #nodesEach(): number {
    const perRound = (this.#options.queriesPerSecond * ROUND_MS) / 1000;
    const each = (perRound / Math.max(1, this.#count) - WAY_QUERIES) / 2;
    return Math.min(BUCKET_NODES, Math.max(NODES_MIN, Math.floor(each)));
  }

  /** A round is over when every stripe has ended one more. */
  #noteRound(now: number): void {
    let rounds = Number.POSITIVE_INFINITY;
    for (const stripe of this.#stripes) {
      if (stripe.infohashes.count > 0) rounds = Math.min(rounds, stripe.rounds);
    }
    if (rounds === Number.POSITIVE_INFINITY || rounds <= this.#rounds) return;
    this.#rounds = rounds;
    this.#lastRoundMs = now;
  }
}
