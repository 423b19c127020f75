import type { Endpoint } from "../base/endpoint.ts";

/**
 * Changes the bytes of one connection on their way, as a machine without I/O: message stream encryption before the
 * handshakes of BEP 3, a share's own encryption behind them. It negotiates first, then gives a cipher.
 */
export interface StreamDecorator {
  /**
   * Goes on with the negotiation. Called when it begins with a peer that we dialled or behind the handshakes, and with
   * each more bytes; with a peer that dialled us the first time when it has sent something.
   *
   * @param received - Everything that came and was not consumed. Valid until the step is there.
   * @returns What to do, or a promise of it where that takes time: nothing is read meanwhile. All of it has to be over
   *   when a handshake has to (`handshakeTimeoutMs`), or the connection is closed.
   * @throws {WireError} When the bytes are wrong: the peer misbehaves.
   */
  negotiate(received: Uint8Array, wire: DecoratorWire): DecoratorStep | Promise<DecoratorStep>;
  /** The connection has ended, once: work that is under way is in vain. */
  handleEnd?(): void;
}

/** What a decorator may send while it negotiates. Harmless when the connection has ended. */
export interface DecoratorWire {
  /** Sends bytes as they are. They belong to the connection from then on. */
  send(bytes: Uint8Array): void;
  /**
   * Takes the first bytes of what the connection has to send, for a message that carries some (`IA` of message stream
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
   * What comes behind `consumed` goes through the cipher, and so does what is sent from now on. Without a cipher the bytes
   * stay as they are, and the decorator costs nothing any more: `{ kind: "ready", consumed: 0 }` takes nothing away.
   */
  | {
      readonly kind: "ready";
      readonly consumed: number;
      readonly cipher?: StreamCipher | undefined;
      /** Bytes for the connection that were a part of the negotiation. */
      readonly early?: Uint8Array | undefined;
      /** The infohash that was negotiated about: the peer's handshake may name no other. 20 bytes. */
      readonly infohash?: Uint8Array | undefined;
    }
  /** Closes the connection; the peer did nothing wrong. */
  | { readonly kind: "refused"; readonly reason: string };

/** Both directions of a decorated stream. */
export interface StreamCipher {
  /**
   * @param bytes - At most 64 KiB, lent for the call: other connections send the same memory, so it is never changed.
   * @returns Memory of its own, which belongs to the connection until the system has taken it.
   */
  encode(bytes: Uint8Array): Uint8Array;
  /**
   * Takes bytes in; `next` is asked until there is nothing more before the next ones come.
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

/** A peer whose stream may be decorated behind the handshakes. */
export interface DecoratedPeer {
  readonly remote: Endpoint;
  readonly incoming: boolean;
  /** Of the dialler's handshake, 20 bytes. */
  readonly infohash: Uint8Array;
}

/** Decorates the streams of a session. Whoever is not asked for, or gives none, has plain streams at no cost. */
export interface StreamDecorators {
  /** Asked before we dial: both handshakes go through it. */
  readonly outgoing?: (peer: {
    readonly remote: Endpoint;
    readonly infohash: Uint8Array;
  }) => StreamDecorator | undefined;
  /**
   * Asked when somebody has dialled us, before its first bytes: both handshakes go through it.
   *
   * @param peer.infohashes - Those of torrents and owners that are there at the moment, 20 bytes each.
   */
  readonly incoming?: (peer: {
    readonly remote: Endpoint;
    readonly infohashes: () => Iterable<Uint8Array>;
  }) => StreamDecorator | undefined;
  /** Asked for peers of torrents: what follows the 68 bytes of each side goes through it. */
  readonly behindHandshake?: (peer: DecoratedPeer) => StreamDecorator | undefined;
}
