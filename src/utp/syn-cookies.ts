import { encodeUtf8, readUint16, writeUint16, writeUint32 } from "../base/bytes.ts";
import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import { hmacSha256 } from "../base/hash.ts";
import type { Random } from "../ports/random.ts";
import { sequenceAfter, sequenceDistance } from "./sequence.ts";

const KEY_BYTES = 32;
/** A cookie counts in its period and in the next. */
const PERIOD_MS = 30_000;
/** So many packets of the caller may overtake its first. */
const OVERTAKING_MAX = 8;

/**
 * Answers callers without remembering them, so that a flood of SYN packets costs no memory and a made-up address gets
 * one small packet (WIR-21). The number that we choose for our first packet is a MAC of the caller's address and id plus
 * the caller's number; its first data has to acknowledge it.
 */
export class SynCookies {
  readonly #key: Uint8Array;

  constructor(random: Random) {
    this.#key = random.bytes(KEY_BYTES);
  }

  /** @returns The number that our STATE carries. */
  answer(
    from: Endpoint,
    call: { readonly id: number; readonly sequence: number },
    nowMs: number,
  ): number {
    return sequenceAfter(this.#mac(from, call.id, period(nowMs)), call.sequence);
  }

  /**
   * Judges the first data of a caller.
   *
   * @param data - `id` is that of the SYN; `ack` acknowledges the packet before our first.
   * @returns The number of its SYN; `undefined` when we have not answered it lately.
   */
  check(
    from: Endpoint,
    data: { readonly id: number; readonly sequence: number; readonly ack: number },
    nowMs: number,
  ): number | undefined {
    for (const age of [0, 1]) {
      const mac = this.#mac(from, data.id, period(nowMs) - age);
      const call = sequenceAfter(data.ack, 1 - mac);
      const distance = sequenceDistance(call, data.sequence);
      if (distance >= 1 && distance <= OVERTAKING_MAX) return call;
    }
    return undefined;
  }

  #mac(from: Endpoint, id: number, at: number): number {
    const name = encodeUtf8(formatEndpoint(from));
    const input = new Uint8Array(6 + name.length);
    writeUint16(input, 0, id);
    writeUint32(input, 2, at);
    input.set(name, 6);
    return readUint16(hmacSha256(this.#key, input), 0);
  }
}

function period(nowMs: number): number {
  return Math.floor(nowMs / PERIOD_MS);
}
