import type { Infohashes } from "../base/infohash.ts";
import type { PeerAddress } from "../base/peer-address.ts";

/** An extension of the peer protocol (BEP 10) that is passed in when a torrent is added. */
export interface ExtensionKind {
  /**
   * The name in the extension handshake, such as `ut_pex`. Names of the engine's own extensions, and duplicates, are
   * refused.
   */
  readonly name: string;
  /** Whether a private torrent may have it. An extension that finds peers must say false (BEP 27). */
  readonly inPrivate: boolean;
  /** Called once for the torrent, before it has peers. */
  create(view: ExtensionView): Extension;
}

/** What an extension may know about its torrent. */
export interface ExtensionView {
  readonly infohashes: Infohashes;
  /** False while the info dictionary of a magnet link is missing: the torrent may be private. */
  readonly isInfoKnown: boolean;
  /**
   * Offers addresses that a peer has named (source kind `pex`).
   *
   * @param how.dialUs - They dial us at this moment (BEP 55): they are dialled at once, even those that wait after a failure.
   * @param how.introduces - The peer says that it can introduce us to them (BEP 55).
   */
  offerPeers(
    addresses: readonly PeerAddress[],
    namedBy: ExtensionPeer,
    how?: { readonly dialUs?: boolean; readonly introduces?: boolean },
  ): void;
  /** The peer can introduce us to them no more. */
  retractPeers(addresses: readonly PeerAddress[], namedBy: ExtensionPeer): void;
}

/**
 * The extension of one torrent. Every peer joins, whether it speaks the extension or not, and each peer that joined
 * leaves, at the latest when the torrent stops. All calls come in the middle of a burst: the extension may send to a
 * peer and close it, but the engine's calls that follow from that come later.
 */
export interface Extension {
  /** Handshakes are exchanged. The peer's pieces, and whether it speaks the extension, are not known yet. */
  join(peer: ExtensionPeer): void;
  /**
   * The peer is gone, or the torrent turned out private.
   *
   * @param peer - The object that joined.
   * @param wasGood - It broke no rule, and told no lie that we know of.
   */
  leave(peer: ExtensionPeer, wasGood: boolean): void;
  /**
   * @param payload - Valid only during the call.
   * @throws {WireError} When the peer breaks the grammar of the extension: it is closed.
   */
  handleMessage(peer: ExtensionPeer, payload: Uint8Array): void;
  /**
   * We dialled the address in every way, and there was no answer, or there is none yet.
   *
   * @param introducers - Peers that say they can introduce us to it.
   */
  handleUnreached?(address: PeerAddress, introducers: readonly ExtensionPeer[]): void;
  /** Twice a second. @param now - Milliseconds of the engine's clock. */
  tick(now: number): void;
}

/** A peer, as an extension sees it. */
export interface ExtensionPeer {
  /** The origin of its connection, or the address we dialled. */
  readonly address: PeerAddress;
  /** The address where it can be dialled; `undefined` while that is unknown for a peer that dialled us. */
  readonly reachableAt: PeerAddress | undefined;
  /** It dialled us. */
  readonly incoming: boolean;
  readonly isSeed: boolean;
  /** It wants nothing more (BEP 21). */
  readonly uploadOnly: boolean;
  /** Its stream is encrypted, or was at its beginning, or it says that it prefers that. */
  readonly isEncrypted: boolean;
  /** @param name - Of an extension. @returns Whether the peer accepts its messages. */
  accepts(name: string): boolean;
  /** May be called at any time. @returns False when the peer does not accept such messages, or is gone. */
  send(payload: Uint8Array): boolean;
  /** May be called at any time. */
  close(reason: string): void;
}
