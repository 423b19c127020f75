import { reachOf } from "../base/address-reach.ts";
import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { addressKey, ipOf, type PeerAddress } from "../base/peer-address.ts";
import { TokenBucket } from "../base/token-bucket.ts";
import type {
  Extension,
  ExtensionKind,
  ExtensionPeer,
  ExtensionView,
} from "../engine/extension.ts";
import {
  decodeHolepunch,
  encodeHolepunch,
  HOLEPUNCH_ERROR,
  type HolepunchMessage,
  UT_HOLEPUNCH,
} from "../wire/ut-holepunch.ts";
import { Introductions } from "./introductions.ts";

/** Messages of one peer that are carried out: a relay names few peers, and has few of them named. */
const TAKEN = { perSecond: 1 / 3, burst: 20 } as const;
/** Introductions that are followed, whoever makes them: each is a dial of an address that a stranger chose. */
const FOLLOWED = { perSecond: 1, burst: 30 } as const;
/** After an introduction to one address another counts, doubled by each until we are connected to it. */
const AGAIN_MS = 30_000;
const AGAIN_MS_MAX = 3_600_000;
const INTRODUCED_MAX = 256;
/** Messages beyond that, in a row. One more closes the peer. */
const IGNORED_MAX = 200;

export interface HolepunchOptions {
  /** House rule 8. Takes the peers of one message and the address of the peer that sent it. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
}

/**
 * Holepunching (BEP 55): a peer that is connected to two others introduces them, and both dial at once, so that the
 * routers of both let the other in. We introduce others, dial whom we are introduced to, and ask to be introduced to whom
 * we do not reach. A private torrent has none of it: it would lead to peers that its tracker did not name.
 */
export function holepunch(options: HolepunchOptions): ExtensionKind {
  return {
    name: UT_HOLEPUNCH,
    inPrivate: false,
    create: (view) => new Holepunch(options, view),
  };
}

interface Member {
  readonly taken: TokenBucket;
  /** Others that it is introduced to, whoever asks: more than it takes would make it close us. */
  readonly told: TokenBucket;
  ignored: number;
}

class Holepunch implements Extension {
  readonly #options: HolepunchOptions;
  readonly #view: ExtensionView;
  readonly #members = new Map<ExtensionPeer, Member>();
  readonly #introductions = new Introductions();
  readonly #followed = new TokenBucket(FOLLOWED, 0);
  /** Whom we were introduced to, how often and when last, by `addressKey`, the oldest first. */
  readonly #introduced = new Map<string, { readonly times: number; readonly atMs: number }>();
  /** At the last tick. */
  #nowMs = 0;

  constructor(options: HolepunchOptions, view: ExtensionView) {
    this.#options = options;
    this.#view = view;
  }

  join(peer: ExtensionPeer): void {
    this.#members.set(peer, {
      taken: new TokenBucket(TAKEN, this.#nowMs),
      told: new TokenBucket(TAKEN, this.#nowMs),
      ignored: 0,
    });
    const key = addressKey(peer.address);
    this.#introductions.handleReached(key);
    this.#introduced.delete(key);
  }

  leave(peer: ExtensionPeer): void {
    this.#members.delete(peer);
    this.#introductions.leave(peer, this.#nowMs);
  }

  tick(now: number): void {
    this.#nowMs = now;
    this.#introductions.tick(now);
  }

  /** While they introduce us the dial goes on: a call that comes from there finds our router open. */
  handleUnreached(address: PeerAddress, introducers: readonly ExtensionPeer[]): void {
    const endpoint = endpointOf(address);
    if (!endpoint || this.#find(endpoint)) return;
    const relays = introducers.filter((peer) => peer.accepts(UT_HOLEPUNCH));
    this.#introductions.want({ key: addressKey(address), endpoint }, relays, this.#nowMs);
  }

  handleMessage(peer: ExtensionPeer, payload: Uint8Array): void {
    const member = this.#members.get(peer);
    if (!member) return;
    if (!member.taken.take(1, this.#nowMs)) {
      member.ignored += 1;
      if (member.ignored > IGNORED_MAX) peer.close("asks for introductions without end");
      return;
    }
    member.ignored = 0;
    const message = decodeHolepunch(payload);
    switch (message.kind) {
      case "rendezvous":
        this.#introduce(peer, message);
        break;
      case "connect":
        this.#introductions.handleIntroduced(message.endpoint, peer);
        this.#dial(peer, message.endpoint);
        break;
      case "error":
        this.#handleRefused(peer, message.endpoint);
        break;
    }
  }

  /** Whatever the reason: another relay may know better. This one is asked again when it names the address again. */
  #handleRefused(relay: ExtensionPeer, endpoint: Endpoint): void {
    const address: PeerAddress = { kind: "utp", endpoint };
    if (!this.#introductions.handleRefused(addressKey(address), relay, this.#nowMs)) return;
    this.#view.retractPeers([address], relay);
  }

  /** We are the relay. Whoever does not speak the extension gets no answer. */
  #introduce(from: ExtensionPeer, { endpoint }: HolepunchMessage): void {
    const target = this.#find(endpoint);
    const error = refusal(from, endpoint, target);
    const [own, other] = [punchedAt(from), target && punchedAt(target)];
    const mayTell = error === undefined && this.#members.get(target!)!.told.take(1, this.#nowMs);
    if (!mayTell || !own || !other) {
      const code = error ?? HOLEPUNCH_ERROR.noSuchPeer;
      from.send(encodeHolepunch({ kind: "error", endpoint, error: code }));
      return;
    }
    target!.send(encodeHolepunch({ kind: "connect", endpoint: own, error: 0 }));
    from.send(encodeHolepunch({ kind: "connect", endpoint: other, error: 0 }));
  }

  /** We are introduced to somebody, who dials us at this moment. */
  #dial(relay: ExtensionPeer, endpoint: Endpoint): void {
    const from = endpointOf(relay.address);
    if (!from || this.#find(endpoint)) return;
    const judged = this.#options.judgePeers([endpoint], from.address);
    if (judged.length === 0 || !this.#isNews(endpoint)) return;
    if (!this.#followed.take(1, this.#nowMs)) return;
    this.#view.offerPeers([{ kind: "utp", endpoint }], relay, { dialUs: true });
  }

  #isNews(endpoint: Endpoint): boolean {
    const key = addressKey({ kind: "utp", endpoint });
    const before = this.#introduced.get(key);
    const times = before?.times ?? 0;
    const againMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** Math.min(20, times - 1));
    if (before && this.#nowMs - before.atMs < againMs) return false;
    this.#introduced.delete(key);
    this.#introduced.set(key, { times: times + 1, atMs: this.#nowMs });
    const [oldest] = this.#introduced.keys();
    if (this.#introduced.size > INTRODUCED_MAX) this.#introduced.delete(oldest!);
    return true;
  }

  /** @returns The connected peer that others know by this address. */
  #find(endpoint: Endpoint): ExtensionPeer | undefined {
    const key = addressKey({ kind: "utp", endpoint });
    for (const peer of this.#members.keys()) {
      const { address, reachableAt } = peer;
      if (addressKey(address) === key) return peer;
      if (reachableAt && addressKey(reachableAt) === key) return peer;
    }
    return undefined;
  }
}

function refusal(
  from: ExtensionPeer,
  { address, port }: Endpoint,
  target: ExtensionPeer | undefined,
): number | undefined {
  if (port === 0 || !addressBytes(address)) return HOLEPUNCH_ERROR.noSuchPeer;
  if (!target) return HOLEPUNCH_ERROR.notConnected;
  if (target === from) return HOLEPUNCH_ERROR.noSelf;
  if (!target.accepts(UT_HOLEPUNCH)) return HOLEPUNCH_ERROR.noSupport;
  return canMeet(from, target) ? undefined : HOLEPUNCH_ERROR.noSuchPeer;
}

/**
 * A place in a network of its own means nothing to a peer elsewhere, and is none of its business. Of a peer that calls us
 * over IPv4 we do not know where it is in IPv6.
 */
function canMeet(a: ExtensionPeer, b: ExtensionPeer): boolean {
  const [one, other] = [ipOf(a.address), ipOf(b.address)];
  if (one === undefined || other === undefined) return false;
  return one.includes(":") === other.includes(":") && reachOf(one) === reachOf(other);
}

/**
 * Where its router lets somebody in whom the peer calls. Over uTP that is where it comes from: it has one port for all
 * connections, which its router may show as another than it says. A call over TCP has a port of its own, so there what it
 * says is the best guess.
 */
function punchedAt({ address, reachableAt }: ExtensionPeer): Endpoint | undefined {
  return endpointOf(address.kind === "utp" ? address : (reachableAt ?? address));
}

function endpointOf(address: PeerAddress): Endpoint | undefined {
  return address.kind === "webrtc" ? undefined : address.endpoint;
}
