import type { StreamHandler } from "../ports/net.ts";
import type { AckPolicy } from "./ack-policy.ts";
import { FIN, type PacketHead } from "./packet.ts";
import { ReceiveSide } from "./receive-side.ts";
import type { ReceivedMemory } from "./received-memory.ts";
import { sequenceAfter } from "./sequence.ts";
import { UnreadBytes } from "./unread-bytes.ts";

/** What a peer may send before we read it, and after a hole: two round trips of a fast line. */
export const RECEIVE_WINDOW_BYTES = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

/** What the peer sends, on its way to the owner: put in order, bounded by our window, kept while nobody reads. */
export class Incoming {
  readonly order: ReceiveSide;
  readonly #memory: ReceivedMemory;
  readonly #acks: AckPolicy;
  readonly #reader: () => StreamHandler | undefined;
  readonly #unread: UnreadBytes;
  isPaused = false;
  /** The room that the peer was told of. */
  toldWindowBytes = RECEIVE_WINDOW_BYTES;

  /**
   * @param options.ack - The number before the first one that we expect.
   * @param options.reader - Who gets the bytes; without one, nobody will read them.
   */
  constructor(options: {
    readonly ack: number;
    readonly memory: ReceivedMemory;
    readonly acks: AckPolicy;
    readonly reader: () => StreamHandler | undefined;
  }) {
    this.order = new ReceiveSide(options.ack, options.memory);
    this.#memory = options.memory;
    this.#acks = options.acks;
    this.#reader = options.reader;
    this.#unread = new UnreadBytes(options.memory);
  }

  get unreadBytes(): number {
    return this.#unread.bytes;
  }

  get isHolding(): boolean {
    return this.isPaused || this.#unread.bytes > 0;
  }

  get roomBytes(): number {
    const own = RECEIVE_WINDOW_BYTES - this.order.keptBytes - this.#unread.bytes;
    return Math.max(Math.min(own, this.#memory.roomBytes), 0);
  }

  /**
   * Takes a packet with payload, a train of them, or the end.
   *
   * @returns Whether it was the next one.
   */
  take(head: PacketHead, bytes: Uint8Array, nowMs: number): boolean {
    const payload = head.type === FIN ? NOTHING : bytes.subarray(head.payloadStart);
    const isNext =
      head.trainPacketBytes > 0 ? this.#takeTrain(head, payload) : this.#takeOne(head, payload);
    if (isNext) this.#acks.handleNext(nowMs);
    return isNext;
  }

  #takeOne({ type, sequence }: PacketHead, payload: Uint8Array): boolean {
    const isFin = type === FIN;
    const hadHole = this.order.hasHole;
    const isRefused =
      (isFin && !this.order.placeEnd(sequence)) || this.#isTooMuch(sequence, payload.length);
    const isNext = !isRefused && this.#place(sequence, payload);
    // The peer has to know at once of a hole, of what came twice and of what had no room.
    if (!isNext || hadHole || isFin) this.#acks.hurry();
    if (!isNext) return false;
    this.#deliver(payload, true);
    this.#deliverKept();
    return true;
  }

  /** Without a hole a train is read at once, and else as the packets that it consists of. */
  #takeTrain({ sequence, trainPacketBytes }: PacketHead, payload: Uint8Array): boolean {
    const isWhole = this.order.isNext(sequence) && !this.order.hasHole;
    if (!isWhole || this.#isTooMuch(sequence, payload.length)) this.#acks.hurry();
    let at = 0;
    let hasNext = false;
    for (let next = sequence; at < payload.length; next = sequenceAfter(next, 1)) {
      const part = payload.subarray(at, at + trainPacketBytes);
      // What is to be delivered with this part counts against the room, too.
      const bytes = isWhole ? at + part.length : part.length;
      if (this.#isTooMuch(next, bytes)) break;
      const isNext = this.#place(next, part);
      if (isWhole && !isNext) break;
      at += part.length;
      hasNext ||= isNext;
      if (isWhole || !isNext) continue;
      this.#deliver(part, true);
      this.#deliverKept();
    }
    if (isWhole) this.#deliver(payload.subarray(0, at), true);
    return hasNext;
  }

  #isTooMuch(sequence: number, bytes: number): boolean {
    return this.isHolding && this.order.isNext(sequence) && bytes > this.roomBytes;
  }

  #place(sequence: number, payload: Uint8Array): boolean {
    return this.order.place(sequence, payload, this.roomBytes) === "next";
  }

  #deliverKept(): void {
    for (let kept = this.order.takeNext(); kept; kept = this.order.takeNext()) {
      this.#deliver(kept, false);
    }
  }

  /** @param isBorrowed - The bytes are valid for this call only. */
  #deliver(payload: Uint8Array, isBorrowed: boolean): void {
    const reader = this.#reader();
    if (payload.length === 0 || !reader) return;
    if (this.isHolding) this.#unread.push(isBorrowed ? payload.slice() : payload);
    else reader.handleBytes(payload, payload.length);
  }

  /** Delivers what was kept while nobody read. @returns Whether there was something. */
  deliverUnread(): boolean {
    if (this.#unread.bytes === 0 || this.isPaused) return false;
    while (!this.isPaused) {
      const reader = this.#reader();
      const part = reader && this.#unread.take();
      if (!part) break;
      reader.handleBytes(part, part.length);
    }
    // A peer that was told of little room waits for this.
    if (this.toldWindowBytes < RECEIVE_WINDOW_BYTES / 2) this.#acks.hurry();
    return true;
  }

  /** Nobody will read what is left. */
  clear(): void {
    this.#unread.clear();
  }

  /** Gives all memory back. */
  close(): void {
    this.order.close();
    this.#unread.clear();
  }
}
