import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { getBytes } from "../bencode/bencode-value.ts";
import type { Random } from "../ports/random.ts";
import { type Contact, endpointKey, type Family, familyOf } from "./contact.ts";
import { DhtError } from "./dht-error.ts";
import { encodeQuery, type KrpcFields } from "./encode-krpc.ts";
import {
  decodeKrpc,
  endsAsAnswer,
  type KrpcFailure,
  type KrpcMessage,
  type KrpcQuery,
  type KrpcReply,
} from "./krpc.ts";
import { type Candidate, Lookup, type LookupListener, type LookupRequest } from "./lookup.ts";
import { namedContacts } from "./named-contacts.ts";
import { equalBytes } from "../base/bytes.ts";
import type { NodeStores } from "./node-stores.ts";
import { NodeUpkeep } from "./node-upkeep.ts";
import type { OuterAddress } from "../base/outer-address.ts";
import { QueryGate } from "./query-gate.ts";
import { Responder } from "./responder.ts";
import { RoutingTable, type TableCounts } from "./routing-table.ts";
import { isSecureId, makeSecureId } from "./secure-id.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import { Transactions } from "./transactions.ts";

/** Lookups that wait. */
const WAITING_MAX = 4096;
/** Nodes that a lookup begins with. */
const SEEDS = 16;
/** Bootstrap nodes that are kept. */
const BOOTSTRAP_MAX = 64;

export interface DhtNodeSettings {
  /** Asks and never answers (BEP 43): for a program that ends soon, or that nobody can reach. */
  readonly readOnly: boolean;
  /** Queries of our own, and bytes of answers to others. */
  readonly queriesPerSecond: number;
  readonly replyBytesPerSecond: number;
  /** Lookups that ask at the same time; others wait. */
  readonly lookupsMax: number;
}

export const DEFAULT_NODE_SETTINGS: DhtNodeSettings = {
  readOnly: false,
  queriesPerSecond: 100,
  replyBytesPerSecond: 50_000,
  lookupsMax: 64,
};

export interface DhtNodeOptions {
  readonly family: Family;
  readonly id: Uint8Array;
  readonly random: Random;
  readonly settings: DhtNodeSettings;
  readonly stores: NodeStores;
  readonly outer: OuterAddress;
  /** Nodes there are not asked. By default all may be. */
  readonly isKeptAway?: ((address: string) => boolean) | undefined;
  /** The table of the other family, for nodes that ask for both (BEP 32). */
  readonly otherTable: () => RoutingTable | undefined;
  /** True while the other family has not joined: nodes are asked for nodes of it too (BEP 32). */
  readonly wantsOther?: () => boolean;
  /** @returns False: the search goes on. */
  readonly hearOther?: LookupListener["handleReply"];
}

/** What a node wants done, in this order. */
export type DhtOutput =
  | { readonly kind: "send"; readonly packet: Uint8Array; readonly to: Endpoint }
  /** Somebody is told something; it may call the node again. */
  | { readonly kind: "tell"; readonly tell: () => void };

/** What became of one query. */
export type Asked =
  | { readonly kind: "reply"; readonly reply: KrpcReply }
  | { readonly kind: "refused"; readonly code: number; readonly text: string }
  | { readonly kind: "silent" };

/** Why a query was sent. */
type Purpose =
  | { readonly kind: "lookup"; readonly lookup: Lookup; readonly candidate: Candidate }
  | { readonly kind: "upkeep" }
  | { readonly kind: "ask"; readonly onAsked: (asked: Asked) => void };

export interface NodeCounts extends TableCounts {
  readonly lookups: number;
  readonly queriesAnswered: number;
  readonly queriesRefused: number;
  /** Packets that were no messages, and answers that nobody had asked for. */
  readonly packetsIgnored: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Packets that were decoded; the others were dropped by a look at their end. */
  readonly packetsRead: number;
}

/**
 * A node of one of the two networks (BEP 5, 32) as a machine without I/O. Packets and time come in; packets to send and
 * news come out of `takeOutputs`.
 */
export class DhtNode {
  readonly family: Family;
  readonly #options: DhtNodeOptions;
  readonly #transactions: Transactions<Purpose>;
  readonly #responder: Responder;
  readonly #gate: QueryGate;
  readonly #budget: TokenBucket;
  readonly #upkeep: NodeUpkeep;
  readonly #bootstrap = new Map<string, Endpoint>();
  readonly #lookups = new Set<Lookup>();
  readonly #waiting: Lookup[] = [];
  /** Lookups with somebody to ask, when the budget has room again. */
  readonly #hungry = new Set<Lookup>();
  #table: RoutingTable;
  #outputs: DhtOutput[] = [];
  #queriesAnswered = 0;
  #packetsRead = 0;
  #packetsIgnored = 0;
  #sentBytes = 0;
  #receivedBytes = 0;

  constructor(options: DhtNodeOptions, now: number) {
    const { random, settings, stores } = options;
    this.family = options.family;
    this.#options = options;
    this.#table = new RoutingTable(options.id);
    this.#transactions = new Transactions(random);
    this.#responder = new Responder({ stores, random, table: (family) => this.#tableOf(family) });
    this.#gate = new QueryGate(settings.replyBytesPerSecond, now);
    const perSecond = settings.queriesPerSecond;
    this.#budget = new TokenBucket({ perSecond, burst: perSecond }, now);
    this.#upkeep = new NodeUpkeep({ random, now });
  }

  get id(): Uint8Array {
    return this.#table.ownId;
  }

  get table(): RoutingTable {
    return this.#table;
  }

  /** True once nodes have answered and the network around our own id is known. */
  get isJoined(): boolean {
    return this.#upkeep.isJoined;
  }

  /** True as soon as a node has answered: lookups find their way from it, also before we have joined. */
  get isReached(): boolean {
    return this.#upkeep.isReached;
  }

  counts(now: number): NodeCounts {
    return {
      ...this.#table.counts(now),
      lookups: this.#lookups.size + this.#waiting.length,
      queriesAnswered: this.#queriesAnswered,
      queriesRefused: this.#gate.refused,
      packetsRead: this.#packetsRead,
      packetsIgnored: this.#packetsIgnored,
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
    };
  }

  /** Endpoints that may lead into the network: configured, or saved. */
  addBootstrap(endpoints: readonly Endpoint[], now: number): void {
    for (const endpoint of endpoints) {
      if (!this.#mayAsk(endpoint)) continue;
      const key = endpointKey(endpoint);
      this.#bootstrap.delete(key);
      this.#bootstrap.set(key, endpoint);
      if (this.#bootstrap.size > BOOTSTRAP_MAX) {
        this.#bootstrap.delete(this.#bootstrap.keys().next().value!);
      }
    }
    // Nodes that were saved may answer before the configured ones are known, and may be all that is left of another network.
    if (!this.isJoined || this.#table.size < SEEDS / 2) this.#upkeep.hurry(now);
  }

  /**
   * A node that a peer or a torrent names. It is asked when there is time, and displaces no bootstrap node.
   */
  addHearsay(endpoint: Endpoint, now: number): void {
    if (!this.#mayAsk(endpoint)) return;
    if (this.isJoined) this.#upkeep.hear(endpoint, "named");
    else if (this.#bootstrap.size < BOOTSTRAP_MAX) this.addBootstrap([endpoint], now);
  }

  /**
   * Begins a lookup. Its listener is told by outputs.
   *
   * @returns A function that ends it, after which its listener is not told anything. `undefined` when too many wait.
   */
  lookUp(request: LookupRequest, now: number): (() => void) | undefined {
    if (this.#waiting.length >= WAITING_MAX) return undefined;
    const lookup = new Lookup(request);
    this.#waiting.push(lookup);
    this.#beginLookups(now);
    return () => {
      lookup.end();
      this.#hungry.delete(lookup);
      const index = this.#waiting.indexOf(lookup);
      if (index >= 0) this.#waiting.splice(index, 1);
      this.#lookups.delete(lookup);
    };
  }

  /** Asks one node. `onAsked` is told by an output. @returns False when too many queries are under way. */
  ask(
    to: Endpoint,
    query: { readonly method: string; readonly args: KrpcFields },
    onAsked: (asked: Asked) => void,
    now: number,
  ): boolean {
    return this.#send(to, query, { kind: "ask", onAsked }, now);
  }

  /**
   * @param packet - Borrowed for the call.
   * @returns False when it was dropped unread: then there is nothing to do for its sake.
   */
  handlePacket(packet: Uint8Array, from: Endpoint, now: number): boolean {
    this.#receivedBytes += packet.length;
    if (!this.#isWorthReading(packet, from, now)) {
      this.#packetsIgnored += 1;
      return false;
    }
    this.#packetsRead += 1;
    const message = readPacket(packet);
    if (!message) this.#packetsIgnored += 1;
    else if (message.kind === "query") this.#handleQuery(message, from, now);
    else this.#handleAnswer(message, from, now);
    return true;
  }

  /** Keeps a flood from costing more than the look at a packet's last bytes (DHT-1, DHT-3). */
  #isWorthReading(packet: Uint8Array, from: Endpoint, now: number): boolean {
    if (from.port === 0) return false;
    return endsAsAnswer(packet) ? this.#transactions.expects(from) : this.#gate.admitRead(now);
  }

  /** When `handleTimeout` is wanted next. */
  nextTimeoutMs(now: number): number {
    const hungry = this.#hungry.size > 0 ? now + this.#budget.waitMs(1, now) : Infinity;
    return Math.min(this.#transactions.nextTimeoutMs(), this.#upkeep.nextMs, hungry);
  }

  handleTimeout(now: number): void {
    for (let slow; (slow = this.#transactions.takeSlow(now));) {
      if (slow.purpose.kind !== "lookup") continue;
      slow.purpose.lookup.handleSlow(slow.purpose.candidate);
      this.#advance(slow.purpose.lookup, now);
    }
    for (let silent; (silent = this.#transactions.takeSilent(now));) {
      this.#table.handleSilence(silent.to);
      this.#handleNoReply(silent.purpose, { kind: "silent" }, now);
    }
    const hungry = [...this.#hungry];
    this.#hungry.clear();
    for (const lookup of hungry) this.#advance(lookup, now);
    this.#options.stores.expire(now);
    this.#keepUp(now);
  }

  /** Takes what is to be done; call it after every other call. */
  takeOutputs(): DhtOutput[] {
    const outputs = this.#outputs;
    if (outputs.length > 0) this.#outputs = [];
    return outputs;
  }

  #mayAsk({ address, port }: Endpoint): boolean {
    return familyOf(address) === this.family && port !== 0 && !this.#options.isKeptAway?.(address);
  }

  // ---- Others ask --------------------------------------------------------------------------------------

  #handleQuery(query: KrpcQuery, from: Endpoint, now: number): void {
    if (equalBytes(query.id, this.id) || !this.#gate.admit(from, now)) return;
    this.#consider(query, from, now);
    if (this.#options.settings.readOnly) return;
    const packet = this.#responder.answer(query, { from, ownId: this.id }, now);
    if (!this.#gate.admitReply(packet.length, now)) return;
    this.#queriesAnswered += 1;
    this.#put(packet, from);
  }

  /** A node that asks is alive, and may be worth a place in the table; it gets one when it answers (DHT-3). */
  #consider(query: KrpcQuery, from: Endpoint, now: number): void {
    if (query.readOnly) return;
    const contact = { id: query.id, endpoint: from };
    this.#table.handleQuery(contact, now);
    if (this.#table.wants(contact)) this.#upkeep.hear(from, "asked");
  }

  // ---- Others answer -----------------------------------------------------------------------------------

  #handleAnswer(answer: KrpcReply | KrpcFailure, from: Endpoint, now: number): void {
    const pending = this.#transactions.close(answer.transaction, from);
    if (!pending) {
      this.#packetsIgnored += 1;
      return;
    }
    if (answer.kind === "failure") {
      const { code, text } = answer;
      this.#handleNoReply(pending.purpose, { kind: "refused", code, text }, now);
      return;
    }
    // We may be behind a bootstrap node that names ourselves.
    if (equalBytes(answer.id, this.id)) {
      this.#handleNoReply(pending.purpose, { kind: "silent" }, now);
      return;
    }
    this.#table.handleAnswer({ id: answer.id, endpoint: from }, now);
    this.#upkeep.handleAnswer();
    this.#handleReply(pending.purpose, answer, from, now);
    if (answer.outer && familyOf(answer.outer.address) === this.family) {
      if (this.#options.outer.vote(from.address, answer.outer.address)) this.#changeId(now);
    }
  }

  #handleReply(purpose: Purpose, reply: KrpcReply, from: Endpoint, now: number): void {
    if (purpose.kind === "ask") {
      // Copied by those who keep it: the packet is borrowed, and outputs are taken before it is given back.
      this.#tell(() => purpose.onAsked({ kind: "reply", reply }));
      return;
    }
    // Others name us too, and in a small network always: asking ourselves would only wait for no answer.
    const named = namedContacts(reply.results, from, this.family).filter(
      ({ id, endpoint }) => !equalBytes(id, this.id) && this.#mayAsk(endpoint),
    );
    if (purpose.kind === "upkeep") {
      this.#hear(named);
      // Somebody who asked us leads into the network, when nobody else does.
      if (!this.isJoined) this.#upkeep.hurry(now);
      return;
    }
    const { lookup, candidate } = purpose;
    const token = getBytes(reply.results, "token");
    lookup.handleReply(candidate, { id: reply.id, named, token });
    const { listener, method } = lookup.request;
    // Our own id is looked up by this method, to learn of nodes.
    if (method === "find_node") this.#hear(named);
    const contact = { id: candidate.id!, endpoint: from };
    this.#tell(() => {
      if (!this.#lookups.has(lookup)) return;
      const told = { from: contact, results: reply.results, hop: candidate.hop };
      if (listener.handleReply(told)) lookup.end();
      if (lookup.isDone) this.#finish(lookup, now);
    });
    this.#advance(lookup, now);
  }

  #hear(named: readonly Contact[]): void {
    for (const contact of named)
      if (this.#table.wants(contact)) this.#upkeep.hear(contact.endpoint, "named");
  }

  #handleNoReply(purpose: Purpose, asked: Exclude<Asked, { kind: "reply" }>, now: number): void {
    if (purpose.kind === "ask") this.#tell(() => purpose.onAsked(asked));
    if (purpose.kind !== "lookup") return;
    purpose.lookup.handleFailure(purpose.candidate);
    this.#advance(purpose.lookup, now);
  }

  /** Our address is another one than we thought, and with it the ids that we may have (BEP 42, DHT-9). */
  #changeId(now: number): void {
    const { outer, random } = this.#options;
    const address = outer.current;
    const bytes = address === undefined ? undefined : addressBytes(address);
    if (address === undefined || !bytes || isSecureId(this.id, address)) return;
    this.#table = this.#table.movedTo(makeSecureId(bytes, random));
    this.#upkeep.hurry(now);
  }

  // ---- We ask ------------------------------------------------------------------------------------------

  #beginLookups(now: number): void {
    while (this.#lookups.size < this.#options.settings.lookupsMax) {
      const lookup = this.#waiting.shift();
      if (!lookup) return;
      this.#lookups.add(lookup);
      const { target } = lookup.request;
      const seeds = this.#table.closestMixed(target, SEEDS);
      for (const { contact } of seeds) lookup.add(contact.id, contact.endpoint, 0);
      if (seeds.length < SEEDS / 2) this.#addLastResorts(lookup);
      this.#advance(lookup, now);
    }
  }

  /** Nodes that were silent, and bootstrap nodes. */
  #addLastResorts(lookup: Lookup): void {
    const silent = this.#table.closest(lookup.request.target, SEEDS, { bad: true });
    for (const { contact } of silent) lookup.add(contact.id, contact.endpoint, 0);
    for (const endpoint of this.#bootstrap.values()) lookup.add(undefined, endpoint, 0);
  }

  #advance(lookup: Lookup, now: number): void {
    if (!this.#lookups.has(lookup)) return;
    for (;;) {
      if (!this.#budget.take(1, now)) {
        this.#hungry.add(lookup);
        return;
      }
      const candidate = lookup.next();
      if (!candidate) {
        this.#budget.giveBack(1);
        break;
      }
      const { target, method, args } = lookup.request;
      const key = method === "get_peers" ? "info_hash" : "target";
      const query = { method, args: { ...args, [key]: target } };
      const purpose: Purpose = { kind: "lookup", lookup, candidate };
      if (!this.#send(candidate.endpoint, query, purpose, now)) lookup.handleFailure(candidate);
    }
    // Told after the last reply was: its listener may have something to say to the end.
    if (lookup.isDone) this.#tell(() => this.#finish(lookup, now));
  }

  #finish(lookup: Lookup, now: number): void {
    if (!this.#lookups.delete(lookup)) return;
    this.#hungry.delete(lookup);
    lookup.request.listener.handleDone(lookup.outcome());
    this.#beginLookups(now);
  }

  #keepUp(now: number): void {
    if (!this.#upkeep.isDue(now)) return;
    const task = this.#upkeep.next(this.#table, now);
    for (const { to, target } of task.ask) {
      if (!this.#budget.take(1, now)) break;
      this.#send(to, { method: "find_node", args: { target } }, { kind: "upkeep" }, now);
    }
    if (task.findSelf) this.#findSelf(now);
  }

  /** Looks our own id up: that is how nodes near us learn of us, and we of them (BEP 5). */
  #findSelf(now: number): void {
    const request: LookupRequest = {
      target: this.id,
      method: "find_node",
      args: this.#options.wantsOther?.() ? { want: ["n4", "n6"] } : {},
      listener: {
        handleReply: this.#options.hearOther ?? (() => false),
        handleDone: ({ replies }) => this.#upkeep.handleFoundSelf(this.#table, replies > 0, now),
      },
    };
    if (!this.lookUp(request, now)) this.#upkeep.handleFoundSelf(this.#table, false, now);
  }

  #send(
    to: Endpoint,
    query: { readonly method: string; readonly args: KrpcFields },
    purpose: Purpose,
    now: number,
  ): boolean {
    const transaction = this.#transactions.open(to, purpose, now);
    if (!transaction) return false;
    const { readOnly } = this.#options.settings;
    const args = { id: this.id, ...query.args };
    this.#put(encodeQuery({ transaction, method: query.method, args, readOnly }), to);
    return true;
  }

  #put(packet: Uint8Array, to: Endpoint): void {
    this.#sentBytes += packet.length;
    this.#outputs.push({ kind: "send", packet, to });
  }

  #tell(tell: () => void): void {
    this.#outputs.push({ kind: "tell", tell });
  }

  #tableOf(family: Family): RoutingTable | undefined {
    return family === this.family ? this.#table : this.#options.otherTable();
  }
}

/** @returns `undefined` for what is no message: it is not answered (DHT-1). */
function readPacket(packet: Uint8Array): KrpcMessage | undefined {
  try {
    return decodeKrpc(packet);
  } catch (error) {
    if (error instanceof DhtError) return undefined;
    throw error;
  }
}
