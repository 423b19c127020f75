import type { PeerAddress } from "../base/peer-address.ts";

/**
 * Changes the bytes of one connection in transit, as a machine without I/O: message stream encryption before the
 * handshakes of BEP 3, or a share's own encryption after them. It negotiates first, then provides a cipher.
 */
export interface StreamDecorator {
  /**
   * Continues the negotiation. For a peer that we dialled, and after the handshakes, it is called first when the
   * negotiation begins; for a peer that dialled us, when the peer has sent something. After that it is called whenever
   * bytes arrive.
   *
   * @param received - All received bytes that were not consumed. Valid until the step is returned.
   * @returns What to do, or a promise of it where that takes time: nothing is read meanwhile. The whole negotiation
   *   must end within the time of a handshake (`handshakeTimeoutMs`), or the connection is closed.
   * @throws {WireError} When the bytes are wrong: the peer misbehaves.
   */
  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep>;
  /** The connection has ended; called once. The results of work in progress will not be used. */
  handleEnd?(): void;
}

/** What a decorator may send while it negotiates. Its methods do nothing when the connection has ended. */
export interface DecoratorWire {
  /** Sends bytes as they are. They belong to the connection from then on. */
  send(bytes: Uint8Array): void;
  /**
   * Takes the first bytes that the connection has to send, for a message that carries some (`IA` of message stream
   * encryption). They count as sent when the bytes of the next `send` are.
   *
   * @returns A copy, empty when nothing waits.
   */
  takeWritten(bytesMax: number): Uint8Array;
}

export type DecoratorStep =
  /** More bytes are needed. */
  | { readonly kind: "more"; readonly consumed: number }
  /**
   * The bytes after `consumed` go through the cipher, and so does everything sent from now on. Without a cipher the
   * bytes stay as they are, and the decorator has no further cost; `{ kind: "ready", consumed: 0 }` removes nothing.
   */
  | {
      readonly kind: "ready";
      readonly consumed: number;
      readonly cipher?: StreamCipher | undefined;
      /** Bytes for the connection that came as part of the negotiation. */
      readonly early?: Uint8Array | undefined;
      /** The negotiated infohash of 20 bytes: the peer's handshake may name no other. */
      readonly infohash?: Uint8Array | undefined;
      /** What people are told of it. */
      readonly encryption?: StreamEncryption | undefined;
    }
  /** Closes the connection; the peer did nothing wrong. */
  | { readonly kind: "refused"; readonly reason: string };

/** `header`: only the start of the stream was encrypted. */
export type StreamEncryption = "header" | "rc4";

/** Both directions of a decorated stream. */
export interface StreamCipher {
  /**
   * @param bytes - At most 64 KiB, lent for the call: other connections send the same memory, so never change it.
   * @returns Separate memory, which belongs to the connection until the system has accepted it.
   */
  encode(bytes: Uint8Array): Uint8Array;
  /**
   * Takes back memory that `encode` returned: the system has accepted all of it, and nobody reads it any more. Not called
   * for what was on its way when the connection ended.
   */
  handleLeft?(encoded: Uint8Array): void;
  /**
   * Takes bytes in; `next` is called until it returns nothing before more bytes come.
   *
   * @param chunk - Lent until then. It may be changed in place.
   * @throws {WireError} When they are wrong: the peer misbehaves.
   */
  feed(chunk: Uint8Array, length: number): void;
  /**
   * @returns Bytes for the connection, valid until the next call.
   * @throws {WireError}
   */
  next(): Uint8Array | undefined;
}

/** A peer whose stream may be decorated after the handshakes. */
export interface DecoratedPeer {
  readonly remote: PeerAddress;
  readonly incoming: boolean;
  /** The infohash of the dialler's handshake, 20 bytes. */
  readonly infohash: Uint8Array;
}

/**
 * Decorates the streams of a session. A method that is missing, or returns nothing, leaves streams plain at no cost.
 */
export interface StreamDecorators {
  /** Called before we dial: both handshakes go through the decorator. */
  readonly outgoing?: (peer: {
    readonly remote: PeerAddress;
    readonly infohash: Uint8Array;
  }) => StreamDecorator | undefined;
  /** Called when a peer has dialled us, before its first bytes: both handshakes go through the decorator. */
  readonly incoming?: (peer: { readonly remote: PeerAddress }) => StreamDecorator | undefined;
  /**
   * Called when a peer that we dialled was reached, and the connection ended before its handshake was complete.
   *
   * @returns True to dial the peer once more at once, because its stream will be decorated differently. The failure
   *   does not count against the peer then.
   */
  readonly isWorthAnotherTry?: (remote: PeerAddress) => boolean;
  /** Whether peers are told that we prefer encrypted streams (`e` of BEP 10); nothing is told when it is missing. */
  readonly prefersEncryption?: () => boolean;
  /** Peers may ask for this infohash of 20 bytes from now on, or not any more: a torrent or its owner came, or went. */
  readonly handleInfohash?: (infohash: Uint8Array, isHere: boolean) => void;
  /** Called for peers of torrents: everything after the 68 bytes of each side goes through the decorator. */
  readonly behindHandshake?: (peer: DecoratedPeer) => StreamDecorator | undefined;
}
