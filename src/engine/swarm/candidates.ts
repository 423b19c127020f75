import {
  addressKey,
  banKey,
  type PeerAddress,
  type TransportKind,
} from "../../base/peer-address.ts";
import type { Random } from "../../ports/random.ts";
import type { DialHistory } from "../sharing/dial-history.ts";
import type { SourceKind } from "../session-contract.ts";
import { isDialable } from "./dialable.ts";
import { Heap } from "./heap.ts";
import { type PeerWays, waysTo } from "./peer-ways.ts";

/** Known addresses of one torrent (libtorrent). */
const KNOWN_MAX = 3000;

/** Ports known of one IP address: a false list must not make us flood one machine (WIR-11). */
const PORTS_PER_ADDRESS_MAX = 32;
/** The same when peers name it. Few addresses have several peers, and many peers may repeat a victim's (WIR-11). */
const NAMED_PORTS_PER_ADDRESS_MAX = 4;
/** Addresses known from peers of one network, so that no network fills the share of peer exchange alone (WIR-11). */
const NAMED_BY_NETWORK_MAX = 200;

/** Addresses banned at a time; beyond that the oldest ban ends. */
const BANS_MAX = 4096;

/** Wait before an address is dialled again, doubled by each consecutive failure (libtorrent: 60 s). */
const RETRY_MS = 60_000;
const RETRY_MS_MAX = 3_600_000;

/** The same for an address that a user gave: that peer is probably just starting. */
const MANUAL_RETRY_MS = 2_000;
const MANUAL_RETRY_MS_MAX = 60_000;

/** Wait before a peer that was connected and left is dialled again: it may just be restarting. */
const RECONNECT_MS = 5_000;

/** A connection that lasted this long was useful: after its end the waits start over. */
const LASTING_MS = 60_000;

/** Where a queue has the number of failures: before those that have none. */
const HASTENED = -1;

/** Consecutive failures after which an address gives way to new ones (libtorrent). */
const FAILURES_MAX = 3;

/** The order in which kinds are dialled, lowest rank first, and how much of the pool each kind may fill. */
const SOURCES: Readonly<Record<SourceKind, { rank: number; knownMax: number }>> = {
  manual: { rank: 0, knownMax: KNOWN_MAX },
  magnet: { rank: 1, knownMax: 100 },
  incoming: { rank: 1, knownMax: 1000 },
  tracker: { rank: 1, knownMax: 2000 },
  lsd: { rank: 1, knownMax: 200 },
  webrtc: { rank: 1, knownMax: 1000 },
  resume: { rank: 2, knownMax: 1000 },
  dht: { rank: 2, knownMax: 1000 },
  pex: { rank: 2, knownMax: 1000 },
};

/** Sources in which anybody may name any address. */
const STRANGERS: ReadonlySet<SourceKind> = new Set(["dht", "pex"]);
/** Ports below this one belong to services of the system. */
const SERVICE_PORTS_END = 1024;

/** How a connection ended. */
export type ConnectionEnd =
  /** No handshake was exchanged. `wasReached`: by the way of the address a stream was open once. */
  | { readonly kind: "failed"; readonly wasReached: boolean }
  /** No handshake was exchanged, but another attempt, made differently, may succeed at once. */
  | { readonly kind: "try-otherwise" }
  /** The peer, or the network, ended it after this long. */
  | { readonly kind: "dropped"; readonly lastedMs: number }
  /** We ended it, so there is no hurry to dial again. */
  | { readonly kind: "let-go"; readonly lastedMs: number };

interface Candidate {
  readonly key: string;
  readonly banKey: string;
  readonly ways: PeerWays;
  /** The way that led to a handshake the last time: it is dialled alone. */
  proven: PeerWays | undefined;
  /** The ways without the one that opened a stream and led nowhere, for the next time. */
  others: PeerWays | undefined;
  readonly source: SourceKind;
  /** The network of the peer that named it; `undefined` when it came from elsewhere. */
  readonly namedBy: string | undefined;
  /** Breaks ties of rank: the canonical priority (BEP 40), a random number while it is not known. */
  lot: number;
  failures: number;
  /** Consecutive short connections. */
  drops: number;
  /** We ended its last connection. */
  letGo: boolean;
  /** Its position in a queue; `undefined` while it is dialled or connected. */
  turn: Turn | undefined;
}

/** An entry of a queue; void when its candidate has moved to another entry, or to none. */
interface Turn {
  readonly candidate: Candidate;
  /** Not dialled before. */
  readonly dueAtMs: number;
  readonly failures: number;
}

/**
 * The known peer addresses of one torrent: decides which to dial next, which to wait for, and which to avoid.
 *
 * waiting -> due -> dialled -> connected -> waiting; dialled -> waiting; any -> connected, when the peer dials us and
 * says where it listens. An address that keeps failing waits longer each time, and is the first to go when the pool is
 * full. Every operation costs at most O(log known).
 */
export class Candidates {
  readonly #random: Random;
  readonly #kinds: ReadonlySet<TransportKind>;
  readonly #dials: Pick<DialHistory, "readyAtMs">;
  readonly #priorityOf: (address: PeerAddress) => number | undefined;
  readonly #known = new Map<string, Candidate>();
  /** By `banKey`. */
  readonly #knownPerHost = new Map<string, number>();
  readonly #perSource = new Map<SourceKind, number>();
  /** By the network of the peers that named them. */
  readonly #perNamer = new Map<string, number>();
  /** Due, best first. */
  readonly #due = new Heap<Turn>(isBetter);
  /** Not due yet, soonest first. */
  readonly #waiting = new Heap<Turn>((a, b) => a.dueAtMs < b.dueAtMs);
  /** Failed too often, the longest ago first. */
  readonly #hopeless = new Set<Candidate>();
  /** By `banKey`. */
  readonly #banned = new Set<string>();
  /** By `addressKey`: they lead to ourselves. */
  readonly #ownAddresses = new Set<string>();

  /**
   * @param options.kinds - The transports that there are.
   * @param options.dials - What other torrents know of the machines.
   */
  constructor(options: {
    random: Random;
    kinds: ReadonlySet<TransportKind>;
    dials: Pick<DialHistory, "readyAtMs">;
    /** @returns Of BEP 40; `undefined` while our own address is not known. */
    priorityOf?: (address: PeerAddress) => number | undefined;
  }) {
    this.#priorityOf = options.priorityOf ?? (() => undefined);
    this.#random = options.random;
    this.#kinds = options.kinds;
    this.#dials = options.dials;
  }

  /** The number of known addresses. */
  get size(): number {
    return this.#known.size;
  }

  /** @returns True when the address is new and was accepted. */
  offer(address: PeerAddress, source: SourceKind, now: number): boolean {
    return this.#take(address, { source, namedBy: undefined }, now);
  }

  /**
   * A peer has named it (BEP 11).
   *
   * @param namedBy - The network of that peer.
   * @returns True when the address is new and was accepted.
   */
  offerNamed(address: PeerAddress, namedBy: string, now: number): boolean {
    return this.#take(address, { source: "pex", namedBy }, now);
  }

  /**
   * The peer dials us at this moment (BEP 55): a dial in every way is worth it now, before all others and even while it
   * waits after a failure.
   */
  hasten(address: PeerAddress, now: number): void {
    const candidate = this.#known.get(addressKey(address));
    if (!candidate?.turn) return;
    candidate.proven = undefined;
    candidate.others = undefined;
    candidate.turn = { candidate, dueAtMs: now, failures: HASTENED };
    this.#due.push(candidate.turn);
  }

  #take(
    address: PeerAddress,
    { source, namedBy }: Pick<Candidate, "source" | "namedBy">,
    now: number,
  ): boolean {
    const ways = waysTo(address, this.#kinds);
    if (!ways || !isDialable(address) || !mayName(source, address)) return false;
    const key = addressKey(address);
    if (this.#known.has(key)) return false;
    const host = banKey(address);
    if (this.#banned.has(host) || this.#ownAddresses.has(key)) return false;
    if ((this.#knownPerHost.get(host) ?? 0) >= knownPerHostMax(address, namedBy)) return false;
    if (!this.#hasRoomFor(source, namedBy)) return false;
    if (this.#known.size >= KNOWN_MAX && !this.#makeRoom(() => true)) return false;
    const candidate: Candidate = {
      key,
      banKey: host,
      ways,
      proven: undefined,
      others: undefined,
      source,
      namedBy,
      lot: this.#lotOf(address),
      failures: 0,
      drops: 0,
      letGo: false,
      turn: undefined,
    };
    this.#known.set(key, candidate);
    count(this.#knownPerHost, host, 1);
    count(this.#perSource, source, 1);
    if (namedBy !== undefined) count(this.#perNamer, namedBy, 1);
    this.#queue(candidate, this.#due, now);
    return true;
  }

  /** Our own address is another now, and with it every priority. */
  handlePriorities(): void {
    for (const candidate of this.#known.values()) candidate.lot = this.#lotOf(candidate.ways[0]);
    const due = this.#due.take().filter(isValid);
    for (const turn of due) this.#due.push(turn);
  }

  #lotOf(address: PeerAddress): number {
    return this.#priorityOf(address) ?? this.#random.below(2 ** 32);
  }

  /** There is an address to dial now. */
  isAnyDue(now: number): boolean {
    if (this.#bestDue()) return true;
    const soonest = this.#waiting.peek();
    return soonest !== undefined && soonest.dueAtMs <= now;
  }

  /** The one that is dialled next, unless its machine has to wait. */
  best(now: number): PeerAddress | undefined {
    this.#wake(now);
    return this.#bestDue()?.candidate.ways[0];
  }

  #bestDue(): Turn | undefined {
    for (let best = this.#due.peek(); best; best = this.#due.peek()) {
      if (isValid(best)) return best;
      this.#due.pop();
    }
    return undefined;
  }

  /** A candidate is due when its wait is over. */
  #wake(now: number): void {
    for (;;) {
      const soonest = this.#waiting.peek();
      if (!soonest || soonest.dueAtMs > now) return;
      this.#waiting.pop();
      if (isValid(soonest)) this.#due.push(soonest);
    }
  }

  /** The peer to dial now; one of `handleNotDialled`, `handleConnected` or `handleClosed` follows. */
  next(now: number): PeerWays | undefined {
    this.#wake(now);
    for (;;) {
      const best = this.#due.pop();
      if (!best) return undefined;
      if (!isValid(best)) continue;
      const { candidate } = best;
      const readyAtMs = this.#readyAtMs(candidate, now);
      if (readyAtMs > now) {
        this.#queue(candidate, this.#waiting, readyAtMs);
        continue;
      }
      candidate.turn = undefined;
      return candidate.proven ?? candidate.others ?? candidate.ways;
    }
  }

  /** The address from `next` was not dialled after all. */
  handleNotDialled(address: PeerAddress): void {
    const candidate = this.#known.get(addressKey(address));
    if (candidate && !candidate.turn) this.#queue(candidate, this.#due, 0);
  }

  /**
   * Handshakes are exchanged.
   *
   * @param wasDialled - False for a peer that dialled us: that it can call says nothing about how it can be called.
   */
  handleConnected(address: PeerAddress, wasDialled: boolean): void {
    const candidate = this.#known.get(addressKey(address));
    if (!candidate) return;
    candidate.turn = undefined;
    if (wasDialled) {
      candidate.proven = candidate.ways.length > 1 ? [address] : undefined;
      candidate.others = undefined;
    }
    candidate.failures = 0;
    this.#hopeless.delete(candidate);
  }

  /** The connection ended. */
  handleClosed(address: PeerAddress, end: ConnectionEnd, now: number): void {
    const candidate = this.#known.get(addressKey(address));
    if (!candidate || candidate.turn) return;
    // What was proven works no more: the other ways are worth a dial now, before the peer waits.
    const isProofGone = end.kind === "failed" && candidate.proven !== undefined;
    if (end.kind === "failed") noteFailedWay(candidate, address, end.wasReached);
    if (end.kind === "try-otherwise" || isProofGone) {
      this.#queue(candidate, this.#due, now);
      return;
    }
    if (end.kind === "failed") candidate.failures += 1;
    else if (end.lastedMs >= LASTING_MS) candidate.drops = 1;
    else candidate.drops += 1;
    candidate.letGo = end.kind === "let-go";
    this.#queue(candidate, this.#waiting, now + retryMs(candidate, end));
    if (candidate.failures >= FAILURES_MAX && candidate.source !== "manual") {
      this.#hopeless.delete(candidate);
      this.#hopeless.add(candidate);
    }
  }

  /** There is something to request again: peers that we dropped may be dialled now. */
  recall(now: number): void {
    for (const candidate of this.#known.values()) {
      if (!candidate.letGo || !candidate.turn) continue;
      candidate.letGo = false;
      candidate.drops = 0;
      this.#queue(candidate, this.#due, now);
    }
  }

  /**
   * Never dials or accepts this address again in this session.
   *
   * @param key - Of `banKey`.
   */
  ban(key: string): void {
    addBounded(this.#banned, key);
    for (const candidate of this.#known.values()) {
      if (candidate.banKey === key) this.#forget(candidate);
    }
  }

  /** The address is our own, or leads to us: never dials it again, whatever else its host has. */
  banOwn(address: PeerAddress): void {
    const key = addressKey(address);
    addBounded(this.#ownAddresses, key);
    this.#forget(this.#known.get(key));
  }

  /**
   * Forgets every address that came from a source of another kind.
   *
   * @returns Those of them that are dialled or connected now.
   */
  keepOnly(kinds: ReadonlySet<SourceKind>): Set<string> {
    const inUse = new Set<string>();
    for (const candidate of this.#known.values()) {
      if (kinds.has(candidate.source)) continue;
      if (!candidate.turn) inUse.add(candidate.key);
      this.#forget(candidate);
    }
    return inUse;
  }

  /** @returns Who named the address first; `undefined` when it is not known. */
  sourceOf(address: PeerAddress): SourceKind | undefined {
    return this.#known.get(addressKey(address))?.source;
  }

  isBanned(address: PeerAddress): boolean {
    return this.#banned.has(banKey(address));
  }

  /** Whom a user names is dialled whatever happened before. */
  #readyAtMs({ source, ways }: Candidate, now: number): number {
    return source === "manual" ? now : this.#dials.readyAtMs(ways[0], now);
  }

  #queue(candidate: Candidate, queue: Heap<Turn>, dueAtMs: number): void {
    candidate.turn = { candidate, dueAtMs, failures: candidate.failures };
    queue.push(candidate.turn);
  }

  /** One that failed too often makes room for another of its source, and of its namer. */
  #hasRoomFor(source: SourceKind, namedBy: string | undefined): boolean {
    if (namedBy !== undefined && (this.#perNamer.get(namedBy) ?? 0) >= NAMED_BY_NETWORK_MAX) {
      return this.#makeRoom((candidate) => candidate.namedBy === namedBy);
    }
    if ((this.#perSource.get(source) ?? 0) < SOURCES[source].knownMax) return true;
    return this.#makeRoom((candidate) => candidate.source === source);
  }

  /** Forgets the one that failed too often the longest ago. @returns False when there is none. */
  #makeRoom(isOne: (candidate: Candidate) => boolean): boolean {
    for (const candidate of this.#hopeless) {
      if (!isOne(candidate)) continue;
      this.#hopeless.delete(candidate);
      if (!candidate.turn) continue;
      this.#forget(candidate);
      return true;
    }
    return false;
  }

  #forget(candidate: Candidate | undefined): void {
    if (!candidate || !this.#known.delete(candidate.key)) return;
    candidate.turn = undefined;
    this.#hopeless.delete(candidate);
    count(this.#knownPerHost, candidate.banKey, -1);
    count(this.#perSource, candidate.source, -1);
    if (candidate.namedBy !== undefined) count(this.#perNamer, candidate.namedBy, -1);
  }
}

/**
 * Strangers may not lead us to the services of a machine: their ports are below 1024, and no tracker or peer vouches for
 * what is found in the DHT and by peer exchange (DHT-8).
 */
function mayName(source: SourceKind, address: PeerAddress): boolean {
  if (!STRANGERS.has(source) || address.kind === "webrtc") return true;
  return address.endpoint.port >= SERVICE_PORTS_END;
}

function isValid(turn: Turn): boolean {
  return turn.candidate.turn === turn;
}

function isBetter(a: Turn, b: Turn): boolean {
  if (a.failures !== b.failures) return a.failures < b.failures;
  const rank = SOURCES[a.candidate.source].rank - SOURCES[b.candidate.source].rank;
  return rank === 0 ? a.candidate.lot > b.candidate.lot : rank < 0;
}

/** Doubled each consecutive time, whatever goes wrong. */
function retryMs({ source, failures, drops }: Candidate, end: ConnectionEnd): number {
  const manual = source === "manual";
  const most = manual && end.kind !== "let-go" ? MANUAL_RETRY_MS_MAX : RETRY_MS_MAX;
  const times = end.kind === "failed" ? failures : drops;
  return Math.min(most, firstRetryMs(manual, end) * 2 ** Math.min(20, times - 1));
}

function firstRetryMs(manual: boolean, end: ConnectionEnd): number {
  if (end.kind === "let-go") return RETRY_MS;
  if (manual) return MANUAL_RETRY_MS;
  return end.kind === "dropped" ? RECONNECT_MS : RETRY_MS;
}

/** A transport whose stream opens first and leads to no handshake must not win each race. */
function noteFailedWay(candidate: Candidate, address: PeerAddress, wasReached: boolean): void {
  const { ways, proven } = candidate;
  const [first, ...others] = ways.filter(({ kind }) => kind !== address.kind);
  const isFirstTime = candidate.others === undefined;
  candidate.proven = undefined;
  candidate.others =
    (wasReached || proven) && isFirstTime && first ? [first, ...others] : undefined;
}

function knownPerHostMax(address: PeerAddress, namedBy: string | undefined): number {
  switch (address.kind) {
    case "tcp":
    case "utp": {
      // Tests and demonstrations run whole swarms on one machine.
      const { address: ip } = address.endpoint;
      if (ip.startsWith("127.") || ip === "::1") return KNOWN_MAX;
      return namedBy === undefined ? PORTS_PER_ADDRESS_MAX : NAMED_PORTS_PER_ADDRESS_MAX;
    }
    case "webrtc":
      return 1;
  }
}

function addBounded(set: Set<string>, value: string): void {
  set.delete(value);
  set.add(value);
  if (set.size <= BANS_MAX) return;
  for (const oldest of set) {
    set.delete(oldest);
    return;
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, change: 1 | -1): void {
  const sum = (counts.get(key) ?? 0) + change;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}
