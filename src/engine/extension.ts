import type { Endpoint } from "../base/endpoint.ts";
import type { Infohashes } from "../base/infohash.ts";

/** An extension of the peer protocol (BEP 10) that is given to a torrent when it is added. */
export interface ExtensionKind {
  /** As it stands in the extension handshake: `ut_pex`. The engine's own, and one twice, are refused. */
  readonly name: string;
  /** A private torrent may have it. One that finds peers must say false (BEP 27). */
  readonly inPrivate: boolean;
  /** Called once for the torrent, before it has peers. */
  create(view: ExtensionView): Extension;
}

/** What an extension may know of its torrent. */
export interface ExtensionView {
  readonly infohashes: Infohashes;
}

/**
 * The extension of one torrent. Every peer joins, whether it speaks the extension or not, and each that has joined
 * leaves, at the latest when the torrent stops. All calls come in the middle of a burst: a peer may be sent to and
 * closed, but the engine's calls back follow later.
 */
export interface Extension {
  /** Handshakes are exchanged. What the peer has, and whether it speaks the extension, is not known yet. */
  join(peer: ExtensionPeer): void;
  /** The peer is gone, or the torrent has turned out private. It is the object that joined. */
  leave(peer: ExtensionPeer): void;
  /**
   * @param payload - Borrowed for the length of the call.
   * @throws {WireError} When the peer breaks the grammar of the extension: it is closed.
   */
  handleMessage(peer: ExtensionPeer, payload: Uint8Array): void;
  /** Twice a second. @param now - Milliseconds of the engine's clock. */
  tick(now: number): void;
}

/** A peer, as an extension sees it. */
export interface ExtensionPeer {
  /** Where its connection comes from or leads to. */
  readonly address: Endpoint;
  /** Where it can be dialled; `undefined` while that is not known of a peer that dialled us. */
  readonly reachableAt: Endpoint | undefined;
  readonly isSeed: boolean;
  /** May be called at any time. @returns False when the peer does not want such messages, or is gone. */
  send(payload: Uint8Array): boolean;
  /** May be called at any time. */
  close(reason: string): void;
}
