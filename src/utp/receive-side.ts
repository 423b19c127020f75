import { SELECTIVE_ACK_BYTES_MAX } from "./packet.ts";
import type { ReceivedMemory } from "./received-memory.ts";
import { sequenceAfter, sequenceDistance } from "./sequence.ts";

/** Packets after a hole that we keep; a power of two. */
const REORDER_PACKETS_MAX = 4096;

/**
 * What to do with a packet: it is the next one, it is kept for later, it is here already, or there is no room for it.
 */
export type Placement = "next" | "kept" | "duplicate" | "refused";

/** Puts the peer's packets in order. Keeps those after a hole, within bounds, until the hole is filled. */
export class ReceiveSide {
  readonly #memory: ReceivedMemory;
  /** By number; made when the first packet comes out of order. */
  #kept: (Uint8Array | undefined)[] | undefined;
  #keptPackets = 0;
  #keptBytes = 0;
  #ack: number;
  /** The last number of the stream, when the peer has told it. */
  #end: number | undefined;

  /** @param ack - The number before the first one that we expect. */
  constructor(ack: number, memory: ReceivedMemory) {
    this.#memory = memory;
    this.#ack = ack;
  }

  /** The peer has answered our call: the packet after `ack` is its first. */
  start(ack: number): void {
    this.#ack = ack;
  }

  /** The last packet that arrived in order. */
  get ack(): number {
    return this.#ack;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  get hasHole(): boolean {
    return this.#keptPackets > 0;
  }

  isNext(sequence: number): boolean {
    return sequence === sequenceAfter(this.#ack, 1);
  }

  /** The peer has sent everything and all of it was taken. */
  get isComplete(): boolean {
    return this.#end === this.#ack;
  }

  /**
   * Takes a packet that has a number.
   *
   * @param payload - Borrowed: it is copied when it is kept.
   * @param roomBytes - What may be kept in addition. The next packet needs no room: its caller has judged that.
   * @returns On `next`, the caller takes the payload, and then those of `takeNext`.
   */
  place(sequence: number, payload: Uint8Array, roomBytes: number): Placement {
    const distance = sequenceDistance(this.#ack, sequence);
    if (distance <= 0) return "duplicate";
    if (this.#end !== undefined && sequenceDistance(this.#end, sequence) > 0) return "refused";
    if (distance === 1) {
      this.#ack = sequence;
      return "next";
    }
    if (payload.length > roomBytes) return "refused";
    // Bit 0 of a selective ack is two after the ack.
    if (distance > REORDER_PACKETS_MAX) return "refused";
    const kept = (this.#kept ??= Array.from({ length: REORDER_PACKETS_MAX }, () => undefined));
    const index = sequence & (REORDER_PACKETS_MAX - 1);
    if (kept[index]) return "duplicate";
    kept[index] = payload.slice();
    this.#keptPackets += 1;
    this.#keptBytes += payload.length;
    this.#memory.take(payload.length);
    return "kept";
  }

  /** @returns Whether the end fits what is here: a peer that ends before what it has sent lies. */
  placeEnd(sequence: number): boolean {
    if (this.#end !== undefined) return this.#end === sequence;
    const distance = sequenceDistance(this.#ack, sequence);
    if (distance <= 0 || distance > REORDER_PACKETS_MAX) return false;
    this.#end = sequence;
    return true;
  }

  /** @returns The next payload of those kept; `undefined` at a hole. */
  takeNext(): Uint8Array | undefined {
    if (this.#keptPackets === 0) return undefined;
    const next = sequenceAfter(this.#ack, 1);
    const index = next & (REORDER_PACKETS_MAX - 1);
    const payload = this.#kept?.[index];
    if (!payload) return undefined;
    this.#kept![index] = undefined;
    this.#keptPackets -= 1;
    this.#keptBytes -= payload.length;
    this.#memory.giveBack(payload.length);
    this.#ack = next;
    return payload;
  }

  /** Gives all memory back. */
  close(): void {
    this.#memory.giveBack(this.#keptBytes);
    this.#kept = undefined;
    this.#keptPackets = 0;
    this.#keptBytes = 0;
  }

  /**
   * Writes the bits of what was kept.
   *
   * @returns How many bytes they take, a multiple of 4; 0 when there is no hole.
   */
  writeSelectiveAck(out: Uint8Array, start: number): number {
    if (this.#keptPackets === 0) return 0;
    let left = this.#keptPackets;
    let length = 0;
    for (let i = 0; left > 0 && i < SELECTIVE_ACK_BYTES_MAX * 8; i += 1) {
      if (i % 32 === 0) {
        out.fill(0, start + length, start + length + 4);
        length += 4;
      }
      const index = sequenceAfter(this.#ack, 2 + i) & (REORDER_PACKETS_MAX - 1);
      if (!this.#kept![index]) continue;
      out[start + (i >>> 3)]! |= 1 << (i & 7);
      left -= 1;
    }
    return length;
  }
}
