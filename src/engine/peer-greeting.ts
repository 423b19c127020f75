import { HandshakeDecoder, type HandshakeFlags } from "../wire/handshake.ts";

const NOTHING = new Uint8Array(0);

/**
 * The peer's handshake as it arrives, and what follows it while its torrent is being woken: until somebody
 * knows what to do with that, it is held back.
 */
export class PeerGreeting {
  readonly #decoder = new HandshakeDecoder();
  #held: Uint8Array = NOTHING;

  /** The torrent it asks for, as soon as that is known; the peer id may come later. */
  get infohash(): Uint8Array | undefined {
    return this.#decoder.infohash;
  }

  get flags(): HandshakeFlags | undefined {
    return this.#decoder.flags;
  }

  get peerId(): Uint8Array | undefined {
    return this.#decoder.peerId;
  }

  /**
   * Takes the next bytes.
   *
   * @returns Those that are no part of the handshake, a view.
   * @throws {WireError} When it is none.
   */
  feed(chunk: Uint8Array, length: number): Uint8Array {
    return chunk.subarray(this.#decoder.feed(chunk, length), length);
  }

  /** Keeps a copy. Reading is paused meanwhile, so it is little. */
  hold(bytes: Uint8Array): void {
    const held = new Uint8Array(this.#held.length + bytes.length);
    held.set(this.#held);
    held.set(bytes, this.#held.length);
    this.#held = held;
  }

  takeHeld(): Uint8Array {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }
}
