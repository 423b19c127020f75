import { encodeHandshake, HandshakeDecoder, type HandshakeFlags } from "../../wire/handshake.ts";
import type { ConnectionOwner } from "./connection-sink.ts";

const NOTHING = new Uint8Array(0);

/** Who takes a connection, a promise of it while it is being woken, or `undefined`: nobody here does. */
export type Found = ConnectionOwner | undefined | Promise<ConnectionOwner | undefined>;

/** What the exchange of handshakes asks of the connection. */
export interface GreetingEvents {
  /** Asked once, when a peer dialled us. */
  findOwner(infohash: Uint8Array): Found;
  /** Our handshake is to go out. */
  send(handshake: Uint8Array): void;
  /** The torrent is being woken: nothing more is to be read until `resumeReading`. */
  pauseReading(): void;
  /** The torrent is awake. @param held - To be fed again, as if it arrived now. */
  resumeReading(held: Uint8Array): void;
  /** Both handshakes are exchanged. @param rest - What came behind, a view. */
  handleGreeted(rest: Uint8Array): void;
  close(reason: string): void;
  /** Asked after calls that may have closed the connection. */
  isClosed(): boolean;
}

/** For whom a peer is dialled. */
export interface DialledFor {
  readonly owner: ConnectionOwner;
  /** As it goes over the wire, 20 bytes. */
  readonly infohash: Uint8Array;
}

/**
 * The exchange of handshakes with one peer. A peer that we dial is greeted first; one that dials us is answered as
 * soon as its torrent is found. While that is being woken, what arrives is held back.
 */
export class Greeting {
  #owner: ConnectionOwner | undefined;
  #flags: HandshakeFlags | undefined;
  #peerId: Uint8Array | undefined;
  readonly #dialled: DialledFor | undefined;
  readonly #events: GreetingEvents;
  readonly #decoder = new HandshakeDecoder();
  #isWaking = false;
  #held: Uint8Array = NOTHING;

  /** @param dialled - `undefined` when the peer dialled us. */
  constructor(dialled: DialledFor | undefined, events: GreetingEvents) {
    this.#dialled = dialled;
    this.#events = events;
    this.#owner = dialled?.owner;
  }

  /** The torrent, once it is found. */
  get owner(): ConnectionOwner | undefined {
    return this.#owner;
  }

  /** What the peer offers. */
  get flags(): HandshakeFlags | undefined {
    return this.#flags;
  }

  /** `undefined` until the handshake is over. */
  get peerId(): Uint8Array | undefined {
    return this.#peerId;
  }

  /** The peer we dialled is connected. */
  begin(): void {
    if (this.#dialled) this.#send(this.#dialled.owner, this.#dialled.infohash);
  }

  /**
   * Takes the next bytes, which are valid during the call.
   *
   * @throws {WireError} When they are no handshake.
   */
  feed(chunk: Uint8Array, length: number): void {
    if (this.#isWaking) {
      this.#hold(chunk.subarray(0, length));
      return;
    }
    const rest = chunk.subarray(this.#decoder.feed(chunk, length), length);
    const { infohash } = this.#decoder;
    if (!infohash) return;
    this.#flags ??= this.#decoder.flags;
    if (this.#owner) this.#finish(this.#owner, infohash, rest);
    else this.#admit(infohash, rest);
  }

  #admit(infohash: Uint8Array, rest: Uint8Array): void {
    const answer = this.#events.findOwner(infohash);
    if (!(answer instanceof Promise)) {
      if (this.#adopt(answer, infohash)) this.#finish(answer, infohash, rest);
      return;
    }
    this.#isWaking = true;
    this.#events.pauseReading();
    this.#hold(rest);
    void answer.then((owner) => {
      if (this.#events.isClosed()) return;
      this.#isWaking = false;
      if (!this.#adopt(owner, infohash)) return;
      const held = this.#held;
      this.#held = NOTHING;
      this.#events.resumeReading(held);
    });
  }

  /** @returns Whether the connection goes on. */
  #adopt(owner: ConnectionOwner | undefined, infohash: Uint8Array): owner is ConnectionOwner {
    if (owner) {
      this.#owner = owner;
      this.#send(owner, owner.answerTo(infohash, this.#flags?.v2 === true));
    } else {
      this.#events.close("asked for a torrent that is not here");
    }
    return !this.#events.isClosed();
  }

  #finish(owner: ConnectionOwner, infohash: Uint8Array, rest: Uint8Array): void {
    const { peerId } = this.#decoder;
    if (!peerId) return;
    if (this.#dialled && !owner.accepts(infohash)) {
      this.#events.close("answered with another infohash");
      return;
    }
    this.#peerId = peerId;
    this.#events.handleGreeted(rest);
  }

  #send({ flags, peerId }: ConnectionOwner, infohash: Uint8Array): void {
    this.#events.send(encodeHandshake({ ...flags, infohash, peerId }));
  }

  /** Keeps a copy. Reading is paused meanwhile, so it is little. */
  #hold(bytes: Uint8Array): void {
    const held = new Uint8Array(this.#held.length + bytes.length);
    held.set(this.#held);
    held.set(bytes, this.#held.length);
    this.#held = held;
  }
}
