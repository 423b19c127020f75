import type { Endpoint } from "../base/endpoint.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import { type Family, familyOf } from "./contact.ts";
import {
  type Asked,
  DEFAULT_NODE_SETTINGS,
  DhtNode,
  type DhtNodeSettings,
  type NodeCounts,
} from "./dht-node.ts";
import type { KrpcFields } from "./encode-krpc.ts";
import type { KnownNode, LookupOutcome, LookupReply, LookupRequest } from "./lookup.ts";
import { namedContacts } from "./named-contacts.ts";
import { NODE_ID_BYTES } from "./node-id.ts";
import { NodeStores } from "./node-stores.ts";
import { OuterAddress } from "../base/outer-address.ts";
import { decodeState, encodeState, endpointsOf, type SavedState } from "./saved-state.ts";
import { TokenBucket } from "../base/token-bucket.ts";

/** How long a search waits for the first nodes to answer. */
const JOIN_WAIT_MS = 30_000;
/** Searches that wait for that. */
const WAITING_MAX = 4096;
/**
 * Searches that begin with the first node that answers. The others wait until we have joined, so that a session of many
 * torrents does not ask all of a bootstrap node.
 */
const EARLY_SEARCHES_MAX = 4;
/** Nodes that peers and torrents may name in a burst, and in a second after that. */
const HEARSAY = { burst: 32, perSecond: 0.5 };

export interface DhtOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signatures: Signatures;
  /** Sends a datagram. It may be lost. */
  readonly send: (packet: Uint8Array, to: Endpoint) => void;
  /** Of the socket. */
  readonly families: readonly Family[];
  readonly settings?: Partial<DhtNodeSettings> | undefined;
  /** Nodes there are not asked, whoever names them. By default all are. */
  readonly isKeptAway?: ((address: string) => boolean) | undefined;
  /** From `save` of an earlier run. */
  readonly state?: Uint8Array | undefined;
  /** Endpoints to begin with. */
  readonly bootstrap?: readonly Endpoint[] | undefined;
}

/** A lookup in every network of which a node has answered. */
export interface DhtSearch extends Omit<LookupRequest, "listener" | "known"> {
  /** Nodes of one network near the target that answered a moment ago. */
  readonly known?: ((family: Family) => readonly KnownNode[]) | undefined;
  /** @returns True when what was looked for is found, and the search may end here. */
  readonly onReply: (reply: LookupReply) => boolean;
  /** The end, once: what each network knows. Empty when no node could be reached. */
  readonly onDone: (found: readonly Found[]) => void;
}

export interface Found {
  readonly node: DhtNode;
  readonly outcome: LookupOutcome;
}

export interface DhtStatus {
  readonly families: readonly FamilyStatus[];
  readonly infohashesStored: number;
  readonly itemsStored: number;
}

export interface FamilyStatus extends NodeCounts {
  readonly family: Family;
  readonly id: Uint8Array;
  readonly outer: string | undefined;
  /** A node has answered. */
  readonly isReached: boolean;
  readonly isJoined: boolean;
}

/**
 * The DHT of one socket: a node for each family over the same store (BEP 32), their timers and their outputs. Everything
 * that happens is a call from outside; what is to be told is told when the call is over.
 */
export class Dht {
  readonly #options: DhtOptions;
  readonly #nodes = new Map<Family, DhtNode>();
  readonly #outers = new Map<Family, OuterAddress>();
  readonly #stores: NodeStores;
  readonly #hearsay: TokenBucket;
  /** Begins when the first node of a network has answered, or when the first network is joined. */
  readonly #waiting = new Set<(isReached: boolean) => void>();
  /** Networks of which a node has answered since everybody was silent. */
  readonly #reached = new Set<Family>();
  readonly #reachedListeners = new Set<(family: Family) => void>();
  /** Searches that may begin before the first network is joined. */
  #earlySearches = EARLY_SEARCHES_MAX;
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;
  #isBusy = false;
  #isClosed = false;

  /** @throws {DhtError} `bad-state` when the state cannot be read. */
  constructor(options: DhtOptions) {
    const { clock } = options;
    this.#options = options;
    const now = clock.nowMs();
    this.#stores = new NodeStores(options, now);
    this.#hearsay = new TokenBucket(HEARSAY, now);
    const saved = options.state && decodeState(options.state);
    for (const family of options.families) this.#addNode(family, saved);
    this.#run(() => {
      for (const [family, node] of this.#nodes) {
        const known = saved?.get(family);
        node.addBootstrap(
          [...(options.bootstrap ?? []), ...(known ? endpointsOf(known) : [])],
          now,
        );
      }
    });
  }

  /** True once the nodes around our own id are known in one network at least. */
  get isJoined(): boolean {
    return [...this.#nodes.values()].some((node) => node.isJoined);
  }

  /** True once a node of one network at least has answered. */
  get isReached(): boolean {
    return [...this.#nodes.values()].some((node) => node.isReached);
  }

  /**
   * Tells of each network when a node of it answers for the first time, or again after everybody was silent.
   *
   * @returns A function that ends it.
   */
  onReached(listener: (family: Family) => void): () => void {
    this.#reachedListeners.add(listener);
    return () => void this.#reachedListeners.delete(listener);
  }

  /** @param packet - Borrowed for the call. */
  receive(packet: Uint8Array, from: Endpoint): void {
    const node = this.#nodes.get(familyOf(from.address));
    if (!node || this.#isClosed) return;
    // A flood costs a look at each packet, and none at the outputs and the timer.
    if (node.handlePacket(packet, from, this.#options.clock.nowMs())) this.#finishRun();
  }

  /** Configured endpoints that may lead into the network, when nothing else does. */
  addBootstrap(endpoints: readonly Endpoint[]): void {
    this.#run((now) => {
      for (const node of this.#nodes.values()) node.addBootstrap(endpoints, now);
    });
  }

  /**
   * A peer says where its node is (`port`, BEP 5), or a torrent names a node. Beyond a rate such news is ignored, so
   * that nobody makes us send packets at a rate of his choice (DHT-8).
   */
  addHearsay(endpoint: Endpoint): void {
    this.#run((now) => {
      const node = this.#nodes.get(familyOf(endpoint.address));
      if (this.#hearsay.take(1, now)) node?.addHearsay(endpoint, now);
    });
  }

  /** Begins as soon as a node has answered. @returns A function that ends it; nobody is told anything then. */
  search(search: DhtSearch): () => void {
    const ends: (() => void)[] = [];
    const begin = (isReached: boolean): void => {
      if (isReached) this.#run((now) => ends.push(...this.#begin(search, now)));
      else search.onDone([]);
    };
    if (this.isJoined) begin(true);
    else ends.push(this.#whenReached(begin));
    return () => this.#run(() => ends.forEach((end) => end()));
  }

  /** Asks one node. @returns False when too many queries are under way; then `onAsked` is not called. */
  ask(
    node: DhtNode,
    query: { readonly to: Endpoint; readonly method: string; readonly args: KrpcFields },
    onAsked: (asked: Asked) => void,
  ): boolean {
    let isSent = false;
    this.#run((now) => {
      isSent = node.ask(query.to, query, onAsked, now);
    });
    return isSent;
  }

  status(): DhtStatus {
    const now = this.#options.clock.nowMs();
    const families = [...this.#nodes.values()].map((node) => ({
      ...node.counts(now),
      family: node.family,
      id: node.id,
      outer: this.#outers.get(node.family)?.current,
      isReached: node.isReached,
      isJoined: node.isJoined,
    }));
    const { peers, items } = this.#stores;
    return { families, infohashesStored: peers.infohashCount, itemsStored: items.size };
  }

  /** Our ids and the nodes that answered, for the next run. */
  save(): Uint8Array {
    const state = new Map(
      [...this.#nodes].map(([family, { id, table }]) => {
        const nodes = [...table.nodes()].filter(({ failures }) => failures === 0);
        nodes.sort((a, b) => b.lastSeenMs - a.lastSeenMs);
        const contacts = nodes.map(({ contact }) => contact);
        return [family, { id, outer: this.#outers.get(family)?.current, contacts }];
      }),
    );
    return encodeState(state);
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#waiting.clear();
    this.#reachedListeners.clear();
  }

  #addNode(family: Family, saved: SavedState | undefined): void {
    const { clock, random, settings, isKeptAway } = this.#options;
    const known = saved?.get(family);
    const outer = new OuterAddress(known?.outer);
    const other: Family = family === 4 ? 6 : 4;
    const node = new DhtNode(
      {
        family,
        id: known?.id ?? random.bytes(NODE_ID_BYTES),
        random,
        settings: { ...DEFAULT_NODE_SETTINGS, ...settings },
        stores: this.#stores,
        outer,
        isKeptAway,
        otherTable: () => this.#nodes.get(other)?.table,
        wantsOther: () => this.#nodes.get(other)?.isJoined === false,
        hearOther: (reply) => this.#hearOther(other, reply),
      },
      clock.nowMs(),
    );
    this.#outers.set(family, outer);
    this.#nodes.set(family, node);
  }

  /** Nodes of a family that has not joined lead into its network, at the rate of hearsay. */
  #hearOther(family: Family, { results, from }: LookupReply): false {
    if (this.#nodes.get(family)?.isJoined === false) {
      const named = namedContacts(results, from.endpoint, family);
      for (const { endpoint } of named) this.addHearsay(endpoint);
    }
    return false;
  }

  #whenReached(begin: (isReached: boolean) => void): () => void {
    const { clock } = this.#options;
    if (this.#waiting.size >= WAITING_MAX) {
      const timer = clock.startTimer(0, () => begin(false));
      return () => timer.cancel();
    }
    const timer = clock.startTimer(JOIN_WAIT_MS, () => waiting(false));
    const waiting = (isReached: boolean): void => {
      timer.cancel();
      this.#waiting.delete(waiting);
      begin(isReached);
    };
    this.#waiting.add(waiting);
    // Somebody may have answered already.
    this.#run(() => undefined);
    return () => {
      timer.cancel();
      this.#waiting.delete(waiting);
    };
  }

  #begin(search: DhtSearch, now: number): (() => void)[] {
    const nodes = [...this.#nodes.values()].filter((node) => node.isReached);
    const found: Found[] = [];
    const ends: (() => void)[] = [];
    let left = nodes.length;
    const handleDone = (node: DhtNode, outcome: LookupOutcome): void => {
      found.push({ node, outcome });
      left -= 1;
      if (left === 0) search.onDone(found);
    };
    for (const node of nodes) {
      const listener = {
        handleReply: search.onReply,
        handleDone: (outcome: LookupOutcome) => handleDone(node, outcome),
      };
      const known = search.known?.(node.family);
      const end = node.lookUp({ ...search, listener, known }, now);
      if (end) ends.push(end);
      else handleDone(node, { closest: [], silent: [], queries: 0, replies: 0 });
    }
    return ends;
  }

  /** Lets something happen, then does what comes of it, and sets the timer. */
  #run(work: (now: number) => void): void {
    if (this.#isClosed) return;
    work(this.#options.clock.nowMs());
    this.#finishRun();
  }

  #finishRun(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      this.#drain();
    } finally {
      this.#isBusy = false;
    }
    this.#setTimer();
  }

  #drain(): void {
    for (let isIdle = false; !isIdle;) {
      isIdle = true;
      for (const node of this.#nodes.values()) {
        for (const output of node.takeOutputs()) {
          isIdle = false;
          if (output.kind === "send") this.#options.send(output.packet, output.to);
          else output.tell();
        }
      }
      this.#tellReached();
      if (this.#beginWaiting()) isIdle = false;
    }
  }

  #tellReached(): void {
    for (const [family, { isReached }] of this.#nodes) {
      if (!isReached) this.#reached.delete(family);
      else if (!this.#reached.has(family)) {
        this.#reached.add(family);
        for (const listener of this.#reachedListeners) listener(family);
      }
    }
  }

  /** @returns True when searches began. */
  #beginWaiting(): boolean {
    if (this.isJoined) this.#earlySearches = EARLY_SEARCHES_MAX;
    else if (!this.isReached) return false;
    let hasBegun = false;
    for (const waiting of this.#waiting) {
      if (!this.isJoined) {
        if (this.#earlySearches === 0) break;
        this.#earlySearches -= 1;
      }
      waiting(true);
      hasBegun = true;
    }
    return hasBegun;
  }

  #setTimer(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const now = clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const node of this.#nodes.values()) nextMs = Math.min(nextMs, node.nextTimeoutMs(now));
    // A timer that fires too early does no harm, and most packets would only move it.
    if (nextMs >= this.#timerMs) return;
    this.#timer?.cancel();
    this.#timerMs = nextMs;
    // Whole milliseconds, and one at least: a sum of fractions may fall just short of the time.
    const delayMs = Math.max(1, Math.ceil(nextMs - now));
    this.#timer = clock.startTimer(delayMs, () => {
      this.#timerMs = Number.POSITIVE_INFINITY;
      this.#run((firedMs) => {
        for (const node of this.#nodes.values()) node.handleTimeout(firedMs);
      });
    });
  }
}
