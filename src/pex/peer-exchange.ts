import { REACH, reachOf } from "../base/address-reach.ts";
import type { Endpoint } from "../base/endpoint.ts";
import { addressKey, ipOf, type PeerAddress, tcpAddresses } from "../base/peer-address.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type {
  Extension,
  ExtensionKind,
  ExtensionPeer,
  ExtensionView,
} from "../engine/extension.ts";
import { UT_HOLEPUNCH } from "../wire/ut-holepunch.ts";
import {
  decodePex,
  encodePex,
  PEX_ENTRIES_MAX,
  PEX_FLAG,
  type PexPeer,
  UT_PEX,
} from "../wire/ut-pex.ts";

/** Between the handshake and the first message: others who connect at the same time are in it. */
const FIRST_MS = 1_000;
/** Between two messages to one peer (BEP 11). */
const INTERVAL_MS = 60_000;
/** Between two looks while there is nothing to tell. */
const LOOK_MS = 2_000;
/** With fewer connected peers than this, a newcomer is told of some that left lately (BEP 11). */
const FEW = 25;
/** A peer that left longer ago is probably elsewhere. */
const LATELY_MS = 600_000;

/**
 * Messages that are read from one peer: one a minute, measured loosely, and some at the beginning, because libtorrent
 * sends its second one soon (WIR-11).
 */
const TAKEN = { perSecond: 1 / 45, burst: 3 } as const;
/** Messages beyond that, in a row, which are not looked at. One more closes the peer (WIR-11). */
const IGNORED_MAX = 20;
export interface PeerExchangeOptions {
  /** House rule 8. Takes the peers of one message and the address of the peer that sent it. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
}

/**
 * Peer exchange (BEP 11): peers tell each other whom they are connected to. It makes a swarm whole as soon as each peer
 * knows one other. A private torrent has none of it.
 */
export function peerExchange(options: PeerExchangeOptions): ExtensionKind {
  return {
    name: UT_PEX,
    inPrivate: false,
    create: (view) => new PeerExchange(options, view),
  };
}

/** The exchange with one peer. */
interface Exchange {
  /** Whom it was told of, by `addressKey`: each of them is dropped when it is gone. */
  readonly told: Map<string, Endpoint>;
  /** When the next message may go; `undefined` until the first tick. */
  nextAtMs: number | undefined;
  /** Nothing was told yet. */
  isNew: boolean;
  readonly taken: TokenBucket;
  ignored: number;
}

/** A connected peer, as others are told of it. */
interface Named extends PexPeer {
  readonly peer: ExtensionPeer;
  readonly key: string;
}

class PeerExchange implements Extension {
  readonly #options: PeerExchangeOptions;
  readonly #view: ExtensionView;
  readonly #exchanges = new Map<ExtensionPeer, Exchange>();
  /** Peers that left, and when, by `addressKey`, the longest ago first. */
  readonly #lately = new Map<string, Named & { readonly leftAtMs: number }>();
  /** At the last tick. */
  #nowMs = 0;

  constructor(options: PeerExchangeOptions, view: ExtensionView) {
    this.#options = options;
    this.#view = view;
  }

  join(peer: ExtensionPeer): void {
    this.#exchanges.set(peer, {
      told: new Map(),
      nextAtMs: undefined,
      isNew: true,
      taken: new TokenBucket(TAKEN, this.#nowMs),
      ignored: 0,
    });
  }

  leave(peer: ExtensionPeer, wasGood: boolean): void {
    this.#exchanges.delete(peer);
    const named = wasGood ? nameOf(peer) : undefined;
    if (!named) return;
    this.#lately.delete(named.key);
    // Nobody can be introduced to it now.
    const flags = named.flags & ~PEX_FLAG.holepunch;
    this.#lately.set(named.key, { ...named, flags, leftAtMs: this.#nowMs });
    const [oldest] = this.#lately.keys();
    if (this.#lately.size > FEW) this.#lately.delete(oldest!);
  }

  handleMessage(peer: ExtensionPeer, payload: Uint8Array): void {
    const exchange = this.#exchanges.get(peer);
    const from = ipOf(peer.address);
    if (!exchange) return;
    if (!exchange.taken.take(1, this.#nowMs)) {
      exchange.ignored += 1;
      if (exchange.ignored > IGNORED_MAX) peer.close("names peers without end");
      return;
    }
    exchange.ignored = 0;
    const { added, dropped } = decodePex(payload);
    // Nothing judges what a peer without an IP address names.
    if (from === undefined) return;
    this.#view.retractPeers(tcpAddresses(dropped), peer);
    const endpoints = added.map(({ endpoint }) => endpoint);
    const judged = new Set(this.#options.judgePeers(endpoints, from));
    const allowed = added.filter(({ endpoint }) => judged.has(endpoint));
    for (const introduces of [true, false]) {
      const named = allowed.filter(
        ({ flags }) => ((flags & PEX_FLAG.holepunch) !== 0) === introduces,
      );
      if (named.length > 0) this.#view.offerPeers(named.map(wayTo), peer, { introduces });
    }
  }

  tick(now: number): void {
    this.#nowMs = now;
    // A member of a torrent that turns out private must not have been named to strangers.
    if (!this.#view.isInfoKnown) return;
    let swarm: readonly Named[] | undefined;
    for (const [peer, exchange] of this.#exchanges) {
      exchange.nextAtMs ??= now + FIRST_MS;
      if (now < exchange.nextAtMs || !peer.accepts(UT_PEX)) continue;
      swarm ??= this.#swarm();
      const others = exchange.isNew ? this.#others(swarm) : [];
      const isSent = tell(peer, exchange, { swarm, others });
      if (isSent) exchange.isNew = false;
      exchange.nextAtMs = now + (isSent ? INTERVAL_MS : LOOK_MS);
    }
  }

  /** Everybody who can be dialled. Those whom we have dialled come first: they can be reached for sure. */
  #swarm(): Named[] {
    const peers = [...this.#exchanges.keys()].flatMap((peer) => nameOf(peer) ?? []);
    return peers.toSorted((a, b) => Number(a.peer.incoming) - Number(b.peer.incoming));
  }

  /** Peers that left lately, the last one first: as many as a small swarm needs to have a few. */
  #others(swarm: readonly Named[]): Named[] {
    const here = new Set(swarm.map(({ key }) => key));
    return [...this.#lately.values()]
      .filter(({ key, leftAtMs }) => !here.has(key) && this.#nowMs - leftAtMs < LATELY_MS)
      .toReversed()
      .slice(0, Math.max(0, FEW - swarm.length));
  }
}

/**
 * @param of.others - Who is not here any more. Whoever is told of them is told in the next message that they are gone.
 * @returns Whether there was something to tell.
 */
function tell(
  to: ExtensionPeer,
  { told }: Exchange,
  { swarm, others }: { readonly swarm: readonly Named[]; readonly others: readonly Named[] },
): boolean {
  const here = new Set(swarm.map(({ key }) => key));
  const dropped = [...told].filter(([key]) => !here.has(key)).slice(0, PEX_ENTRIES_MAX);
  const added = [...swarm, ...others]
    .filter((named) => !told.has(named.key) && isFor(named, to))
    .slice(0, PEX_ENTRIES_MAX);
  if (added.length + dropped.length === 0) return false;
  const gone = dropped.map(([, endpoint]) => endpoint);
  if (!to.send(encodePex({ added, dropped: gone }))) return false;
  for (const [key] of dropped) told.delete(key);
  for (const { key, endpoint } of added) told.set(key, endpoint);
  return true;
}

/** Nobody is told of itself; a seed needs no seeds; and an address of a local network is of no use outside it. */
function isFor({ peer, key, endpoint, flags }: Named, to: ExtensionPeer): boolean {
  if (peer === to || key === addressKey(to.address)) return false;
  if (to.reachableAt && key === addressKey(to.reachableAt)) return false;
  if (to.isSeed && (flags & PEX_FLAG.seed) !== 0) return false;
  const from = ipOf(to.address);
  const reach = reachOf(endpoint.address);
  return from !== undefined && reach !== REACH.nowhere && reach >= reachOf(from);
}

function nameOf(peer: ExtensionPeer): Named | undefined {
  const address = peer.reachableAt;
  if (!address || address.kind === "webrtc") return undefined;
  const flags =
    (peer.isEncrypted ? PEX_FLAG.prefersEncryption : 0) |
    (peer.isSeed || peer.uploadOnly ? PEX_FLAG.seed : 0) |
    (address.kind === "utp" ? PEX_FLAG.utp : 0) |
    (peer.accepts(UT_HOLEPUNCH) ? PEX_FLAG.holepunch : 0) |
    (peer.incoming ? 0 : PEX_FLAG.reachable);
  return { peer, key: addressKey(address), endpoint: address.endpoint, flags };
}

/**
 * The way to prefer; the engine tries the other one too. Whoever is connected to a peer over uTP did not reach it over
 * TCP, or not first.
 */
function wayTo({ endpoint, flags }: PexPeer): PeerAddress {
  return { kind: (flags & PEX_FLAG.utp) !== 0 ? "utp" : "tcp", endpoint };
}
