import type { PeerAddress } from "../../base/peer-address.ts";
import { encodeHandshake, HandshakeDecoder, type HandshakeFlags } from "../../wire/handshake.ts";
import type { StreamDecorator } from "../stream-decorator.ts";
import type { ConnectionOwner } from "./connection-sink.ts";

const NOTHING = new Uint8Array(0);

/** The result of bytes of a handshake. */
export type GreetingStep =
  /** More bytes are needed. */
  | { readonly kind: "incomplete" }
  /** A peer that dialled us asks for a torrent: call `answer` and `proceed` next. @param rest - A view. */
  | { readonly kind: "asked"; readonly infohash: Uint8Array; readonly rest: Uint8Array }
  /** Both handshakes are exchanged. @param rest - The bytes after them, a view. */
  | { readonly kind: "greeted"; readonly rest: Uint8Array }
  | { readonly kind: "refused"; readonly reason: string };

/** The owner for which a peer is dialled. */
export interface DialledFor {
  readonly owner: ConnectionOwner;
  /** As it is sent, 20 bytes. */
  readonly infohash: Uint8Array;
}

/**
 * The exchange of handshakes with one peer. A peer that we dial is greeted first; one that dials us is answered as soon
 * as its torrent is found. While that is being woken, arriving bytes are held back.
 */
export class Greeting {
  #owner: ConnectionOwner | undefined;
  #flags: HandshakeFlags | undefined;
  #peerId: Uint8Array | undefined;
  readonly #dialled: DialledFor | undefined;
  readonly #decoder = new HandshakeDecoder();
  #held: Uint8Array = NOTHING;

  /** @param dialled - `undefined` when the peer dialled us. */
  constructor(dialled: DialledFor | undefined) {
    this.#dialled = dialled;
    this.#owner = dialled?.owner;
  }

  /** The features that the peer offers. */
  get flags(): HandshakeFlags | undefined {
    return this.#flags;
  }

  /** `undefined` until the handshake is complete. */
  get peerId(): Uint8Array | undefined {
    return this.#peerId;
  }

  /** @returns Our handshake for the peer that we dialled; `undefined` when it dialled us. */
  begin(): Uint8Array | undefined {
    return this.#dialled && ourHandshake(this.#dialled.owner, this.#dialled.infohash);
  }

  /**
   * Takes the next bytes, which are valid during the call.
   *
   * @throws {WireError} When they are no handshake.
   */
  feed(chunk: Uint8Array, length: number): GreetingStep {
    const rest = chunk.subarray(this.#decoder.feed(chunk, length), length);
    const { infohash } = this.#decoder;
    if (!infohash) return { kind: "incomplete" };
    this.#flags ??= this.#decoder.flags;
    return this.#owner ? this.proceed(rest) : { kind: "asked", infohash, rest };
  }

  /** @param owner - The owner that takes the peer. @returns Our handshake. */
  answer(owner: ConnectionOwner, infohash: Uint8Array): Uint8Array {
    this.#owner = owner;
    return ourHandshake(owner, owner.answerTo(infohash, this.#flags?.v2 === true));
  }

  /** The decorator for the stream after both handshakes; called once, when the owner and the infohash are known. */
  decoratorOf(remote: PeerAddress): StreamDecorator | undefined {
    const infohash = this.#dialled?.infohash ?? this.#decoder.infohash!;
    return this.#owner!.decorate?.({ remote, incoming: !this.#dialled, infohash });
  }

  /** Continues with the bytes after the part that was consumed. */
  proceed(rest: Uint8Array): GreetingStep {
    const { infohash, peerId } = this.#decoder;
    if (!peerId) return { kind: "incomplete" };
    if (this.#dialled && !this.#dialled.owner.accepts(infohash!)) {
      return { kind: "refused", reason: "answered with another infohash" };
    }
    this.#peerId = peerId;
    return { kind: "greeted", rest };
  }

  /** The torrent is being woken. Keeps a copy; reading is paused meanwhile, so the copy is small. */
  hold(bytes: Uint8Array): void {
    const held = new Uint8Array(this.#held.length + bytes.length);
    held.set(this.#held);
    held.set(bytes, this.#held.length);
    this.#held = held;
  }

  /** @returns The bytes held back, to be fed again as if they arrived now. */
  takeHeld(): Uint8Array {
    const held = this.#held;
    this.#held = NOTHING;
    return held;
  }
}

function ourHandshake({ flags, peerId }: ConnectionOwner, infohash: Uint8Array): Uint8Array {
  return encodeHandshake({ ...flags, infohash, peerId });
}
