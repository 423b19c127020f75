import type { StreamCipher } from "../engine/stream-decorator.ts";
import type { Rc4 } from "./rc4.ts";
import type { SentMemory } from "./sent-memory.ts";

/** Both directions of a stream under RC4. Received bytes are decrypted where they lie. */
export class Rc4Cipher implements StreamCipher {
  readonly #outgoing: Rc4;
  readonly #incoming: Rc4;
  readonly #memory: SentMemory;
  #received: Uint8Array | undefined;

  constructor(
    keys: { readonly outgoing: Rc4; readonly incoming: Rc4 },
    parts: { readonly memory: SentMemory },
  ) {
    this.#outgoing = keys.outgoing;
    this.#incoming = keys.incoming;
    this.#memory = parts.memory;
  }

  encode(bytes: Uint8Array): Uint8Array {
    // The same place within a word as the source has, so that words are encrypted at once.
    const offset = bytes.byteOffset & 3;
    const encrypted = this.#memory.take(offset + bytes.length).subarray(offset);
    this.#outgoing.apply(bytes, encrypted);
    return encrypted;
  }

  handleLeft(encoded: Uint8Array): void {
    this.#memory.giveBack(encoded);
  }

  feed(chunk: Uint8Array, length: number): void {
    const received = chunk.subarray(0, length);
    this.#incoming.apply(received, received);
    this.#received = received;
  }

  next(): Uint8Array | undefined {
    const received = this.#received;
    this.#received = undefined;
    return received;
  }
}
