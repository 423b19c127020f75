import type { Endpoint } from "../base/endpoint.ts";
import type { BencodeDict } from "../bencode/bencode-value.ts";
import { type Owner, ownerOf } from "./address-shares.ts";
import { type Contact, endpointKey } from "./contact.ts";
import type { KrpcFields } from "./encode-krpc.ts";
import { compareDistance } from "./node-id.ts";
import { BUCKET_NODES } from "./routing-table.ts";
import { isSecureId } from "./secure-id.ts";

/** Nodes that are asked at the same time. */
const ASKED_AT_ONCE = 4;
/** Nodes asked and not answering yet, slow ones included. */
const OPEN_MAX = 16;
/** Nodes that a lookup keeps in mind; the farthest go first. */
const CANDIDATES_MAX = 128;
/** Queries of one lookup, whatever it is told. */
const QUERIES_MAX = 200;
/** Nodes of one network (DHT-3). */
const NETWORK_NODES_MAX = 2;
/** Of the closest nodes, those that are asked although they are known: they know who else is near the target. */
const LEADERS = 2;

/** What a lookup asks every node. */
export interface LookupRequest {
  readonly target: Uint8Array;
  readonly method: "find_node" | "get_peers" | "get";
  /** Besides the id. */
  readonly args: KrpcFields;
  readonly listener: LookupListener;
  /** How many of the closest nodes are to be found; a bucket of them when left out. */
  readonly closestMax?: number | undefined;
  /** Nodes that are asked at the same time: fewer take longer and need fewer queries. Four when left out. */
  readonly askedAtOnce?: number | undefined;
  /** Nodes near the target that answered a moment ago. */
  readonly known?: readonly KnownNode[] | undefined;
}

/** A node that answered a moment ago. */
export interface KnownNode {
  readonly contact: Contact;
  /** With a token that still is good it is asked only when it is one of the very closest. */
  readonly token: Uint8Array | undefined;
}

/** What a lookup tells, after the burst in which it happens. */
export interface LookupListener {
  /** @returns True when what was looked for is found, and the lookup may end here. */
  handleReply(reply: LookupReply): boolean;
  /** The end, once. */
  handleDone(outcome: LookupOutcome): void;
}

export interface LookupReply {
  readonly from: Contact;
  readonly results: BencodeDict;
  /** Steps from the nodes that we knew to this one. */
  readonly hop: number;
}

/** A node that can be given something to keep. */
export interface FoundNode {
  readonly contact: Contact;
  /** What it wants to see with `announce_peer` and `put`. */
  readonly token: Uint8Array | undefined;
  readonly hop: number;
  /** False when it was known and had a token. */
  readonly wasAsked: boolean;
}

export interface LookupOutcome {
  /** The nodes closest to the target that answered, the closest first. */
  readonly closest: readonly FoundNode[];
  /** Nodes that did not answer. */
  readonly silent: readonly Endpoint[];
  readonly queries: number;
  readonly replies: number;
}

/** One node of a lookup: fresh or known -> asked -> (slow ->) replied or failed. */
export interface Candidate {
  /** `undefined` for a bootstrap node, until it answers. */
  id: Uint8Array | undefined;
  readonly endpoint: Endpoint;
  readonly hop: number;
  isSecure: boolean;
  state: "fresh" | "known" | "asked" | "slow" | "replied" | "failed";
  token: Uint8Array | undefined;
}

/**
 * Finds the nodes closest to a target, step by step (BEP 5). It asks the closest nodes that it knows of, which name
 * closer ones, until the eight closest that are left have all answered.
 *
 * Nodes whose ids fit their addresses decide when that is so; others are asked beside them, up to a bound. An attacker
 * who surrounds the target with made-up ids therefore joins the closest nodes and does not replace them (DHT-3).
 */
export class Lookup {
  readonly request: LookupRequest;
  /** The closest to the target first, those without an id last. */
  readonly #candidates: Candidate[] = [];
  readonly #places = new Set<string>();
  readonly #networks = new Map<string, number>();
  #asked = 0;
  #slow = 0;
  #queries = 0;
  #replies = 0;
  #insecureAsked = 0;
  #isOver = false;
  readonly #closestMax: number;
  /** Nodes whose ids do not fit their addresses that are asked, twice as many as are among the closest (BEP 42). */
  readonly #insecureAskedMax: number;

  constructor(request: LookupRequest) {
    this.request = request;
    this.#closestMax = request.closestMax ?? BUCKET_NODES;
    this.#insecureAskedMax = 2 * this.#closestMax;
    for (const { contact, token } of request.known ?? [])
      this.#add(contact.id, contact.endpoint, { hop: 0, token });
  }

  /** Adds a node to ask. @param id - `undefined` for a bootstrap node. */
  add(id: Uint8Array | undefined, endpoint: Endpoint, hop: number): void {
    this.#add(id, endpoint, { hop, token: undefined });
  }

  #add(
    id: Uint8Array | undefined,
    endpoint: Endpoint,
    { hop, token }: { readonly hop: number; readonly token: Uint8Array | undefined },
  ): void {
    const owner = ownerOf(endpoint);
    if (this.#places.has(owner.place) || this.#places.has(endpointKey(endpoint))) return;
    if (!this.#takeShare(owner)) return;
    this.#places.add(owner.place);
    const isSecure = id !== undefined && isSecureId(id, endpoint.address);
    const state = token ? "known" : "fresh";
    this.#insert({ id, endpoint, hop, isSecure, state, token });
    if (this.#candidates.length > CANDIDATES_MAX) this.#dropFarthest();
  }

  /** @returns The next node to ask now, which counts as asked from then on; `undefined` when none is to be. */
  next(): Candidate | undefined {
    if (this.#isOver || this.#queries >= QUERIES_MAX) return undefined;
    if (
      this.#asked >= (this.request.askedAtOnce ?? ASKED_AT_ONCE) ||
      this.#asked + this.#slow >= OPEN_MAX
    )
      return undefined;
    const candidate = this.#nextFresh();
    if (!candidate) return undefined;
    candidate.state = "asked";
    this.#asked += 1;
    this.#queries += 1;
    if (candidate.id && !candidate.isSecure) this.#insecureAsked += 1;
    return candidate;
  }

  /**
   * A node answered.
   *
   * @param reply.named - Nodes it names that may be asked from where it is.
   */
  handleReply(
    candidate: Candidate,
    reply: {
      readonly id: Uint8Array;
      readonly named: readonly Contact[];
      readonly token: Uint8Array | undefined;
    },
  ): void {
    this.#settle(candidate, "replied");
    this.#replies += 1;
    candidate.token = reply.token && Uint8Array.from(reply.token);
    // The node that named it may have been wrong about its id.
    if (!candidate.id || compareDistance(candidate.id, candidate.id, reply.id) !== 0) {
      this.#candidates.splice(this.#candidates.indexOf(candidate), 1);
      candidate.id = Uint8Array.from(reply.id);
      candidate.isSecure = isSecureId(candidate.id, candidate.endpoint.address);
      this.#insert(candidate);
    }
    for (const { id, endpoint } of reply.named) this.add(id, endpoint, candidate.hop + 1);
  }

  handleSlow(candidate: Candidate): void {
    if (candidate.state !== "asked") return;
    candidate.state = "slow";
    this.#asked -= 1;
    this.#slow += 1;
  }

  /** It did not answer, or answered with an error. */
  handleFailure(candidate: Candidate): void {
    this.#settle(candidate, "failed");
  }

  /** What was looked for is found: nobody else is asked. */
  end(): void {
    this.#isOver = true;
  }

  /** True when the closest nodes have answered, or nobody is left to ask. */
  get isDone(): boolean {
    if (this.#isOver) return true;
    let counted = 0;
    let leaders = 0;
    let isWaiting = false;
    for (const candidate of this.#candidates) {
      if (this.#isToAsk(candidate, leaders)) {
        if (this.#queries < QUERIES_MAX) return false;
      } else if (candidate.state === "asked") return false;
      else if (candidate.state === "slow") isWaiting = true;
      else if (counts(candidate)) counted += 1;
      if (leads(candidate)) leaders += 1;
      if (counted >= this.#closestMax) return true;
    }
    return !isWaiting;
  }

  outcome(): LookupOutcome {
    const closest: FoundNode[] = [];
    const silent: Endpoint[] = [];
    let secure = 0;
    let insecure = 0;
    for (const { id, endpoint, state, token, hop, isSecure } of this.#candidates) {
      if (state === "failed") silent.push(endpoint);
      if ((state !== "replied" && state !== "known") || !id) continue;
      if (secure >= this.#closestMax) continue;
      if (isSecure) secure += 1;
      else if (insecure >= this.#closestMax) continue;
      else insecure += 1;
      closest.push({ contact: { id, endpoint }, token, hop, wasAsked: state === "replied" });
    }
    return { closest, silent, queries: this.#queries, replies: this.#replies };
  }

  #nextFresh(): Candidate | undefined {
    let counted = 0;
    let leaders = 0;
    for (const candidate of this.#candidates) {
      if (this.#isToAsk(candidate, leaders)) return candidate;
      if (counts(candidate)) counted += 1;
      if (leads(candidate)) leaders += 1;
      if (counted >= this.#closestMax) return undefined;
    }
    return undefined;
  }

  /** @param leaders - Nodes that are closer and were asked. */
  #isToAsk(candidate: Candidate, leaders: number): boolean {
    if (candidate.state === "known") return candidate.isSecure && leaders < LEADERS;
    if (candidate.state !== "fresh") return false;
    if (candidate.isSecure || !candidate.id) return true;
    return this.#insecureAsked < this.#insecureAskedMax;
  }

  #settle(candidate: Candidate, state: "replied" | "failed"): void {
    if (candidate.state === "asked") this.#asked -= 1;
    if (candidate.state === "slow") this.#slow -= 1;
    candidate.state = state;
  }

  #takeShare({ network }: Owner): boolean {
    if (network === undefined) return true;
    const count = this.#networks.get(network) ?? 0;
    if (count >= NETWORK_NODES_MAX) return false;
    this.#networks.set(network, count + 1);
    return true;
  }

  #insert(candidate: Candidate): void {
    const { target } = this.request;
    let low = 0;
    let high = this.#candidates.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isNearer(target, this.#candidates[middle]!, candidate)) low = middle + 1;
      else high = middle;
    }
    this.#candidates.splice(low, 0, candidate);
  }

  #dropFarthest(): void {
    const index = this.#candidates.findLastIndex(({ state }) => state === "fresh");
    if (index < 0) return;
    const [dropped] = this.#candidates.splice(index, 1);
    const { place, network } = ownerOf(dropped!.endpoint);
    this.#places.delete(place);
    if (network !== undefined) this.#networks.set(network, this.#networks.get(network)! - 1);
  }
}

/** Tells whether a node is one of those that decide when the lookup is over. */
function counts({ state, isSecure }: Candidate): boolean {
  return isSecure && (state === "replied" || state === "known");
}

/** Tells whether a node was asked for this very target, and may still answer. */
function leads({ state, isSecure }: Candidate): boolean {
  return isSecure && (state === "asked" || state === "slow" || state === "replied");
}

function isNearer(target: Uint8Array, a: Candidate, b: Candidate): boolean {
  if (!a.id || !b.id) return a.id !== undefined || b.id === undefined;
  return compareDistance(target, a.id, b.id) <= 0;
}
