import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { addressKey, type PeerAddress } from "../base/peer-address.ts";
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

/** Messages of one peer that are carried out: a relay names few peers, and has few of them named. */
const TAKEN = { perSecond: 1 / 3, burst: 20 } as const;
/** An introduction to one peer counts once in this time, whoever makes it. */
const AGAIN_MS = 30_000;
const INTRODUCED_MAX = 256;
/** Messages beyond that, in a row. One more closes the peer. */
const IGNORED_MAX = 200;

export interface HolepunchOptions {
  /** House rule 8. Takes the peers of one message and the address of the peer that sent it. */
  readonly judgePeers: (peers: readonly Endpoint[], from: string) => readonly Endpoint[];
}

/**
 * Holepunching (BEP 55): a peer that is connected to two others introduces them, and both dial at once, so that the
 * routers of both let the other in. We introduce others, and dial whom we are introduced to. A private torrent has none
 * of it: it would lead to peers that its tracker did not name.
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
  ignored: number;
}

class Holepunch implements Extension {
  readonly #options: HolepunchOptions;
  readonly #view: ExtensionView;
  readonly #members = new Map<ExtensionPeer, Member>();
  /** Whom we were introduced to lately, by `addressKey`, the oldest first. */
  readonly #introduced = new Map<string, number>();
  /** At the last tick. */
  #nowMs = 0;

  constructor(options: HolepunchOptions, view: ExtensionView) {
    this.#options = options;
    this.#view = view;
  }

  join(peer: ExtensionPeer): void {
    this.#members.set(peer, { taken: new TokenBucket(TAKEN, this.#nowMs), ignored: 0 });
  }

  leave(peer: ExtensionPeer): void {
    this.#members.delete(peer);
  }

  tick(now: number): void {
    this.#nowMs = now;
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
        this.#dial(peer, message.endpoint);
        break;
      case "error":
        // We are never the one who asks.
        break;
    }
  }

  /** We are the relay. Whoever does not speak the extension gets no answer. */
  #introduce(from: ExtensionPeer, { endpoint }: HolepunchMessage): void {
    const own = endpointOf(from.address);
    if (!own) return;
    const target = this.#find(endpoint);
    const error = refusal(from, endpoint, target);
    if (error !== undefined) {
      from.send(encodeHolepunch({ kind: "error", endpoint, error }));
      return;
    }
    target!.send(encodeHolepunch({ kind: "connect", endpoint: own, error: 0 }));
    from.send(encodeHolepunch({ kind: "connect", endpoint, error: 0 }));
  }

  /** We are introduced to somebody, who dials us at this moment. */
  #dial(relay: ExtensionPeer, endpoint: Endpoint): void {
    const from = endpointOf(relay.address);
    if (!from || this.#find(endpoint)) return;
    const judged = this.#options.judgePeers([endpoint], from.address);
    if (judged.length === 0 || !this.#isNews(endpoint)) return;
    this.#view.offerPeers([{ kind: "utp", endpoint }], relay, { dialUs: true });
  }

  #isNews(endpoint: Endpoint): boolean {
    const key = addressKey({ kind: "utp", endpoint });
    const before = this.#introduced.get(key);
    if (before !== undefined && this.#nowMs - before < AGAIN_MS) return false;
    this.#introduced.delete(key);
    this.#introduced.set(key, this.#nowMs);
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
  return target.accepts(UT_HOLEPUNCH) ? undefined : HOLEPUNCH_ERROR.noSupport;
}

function endpointOf(address: PeerAddress): Endpoint | undefined {
  return address.kind === "webrtc" ? undefined : address.endpoint;
}
