import type { Bitfield } from "../../base/bitfield.ts";
import type { StreamConnection } from "../../ports/net.ts";
import {
  ADDRESS_BYTES,
  INDEX_BYTES,
  KEEP_ALIVE_BYTES,
  SIGNAL_BYTES,
  encodeBitfield,
  writeCancel,
  writeAllowedFast,
  writeHave,
  writeKeepAlive,
  writeReject,
  writeRequest,
  writeSignal,
} from "../../wire/encode-messages.ts";
import { MESSAGE, type SignalId } from "../../wire/message-id.ts";

/** Above this the peer's socket is not read until the peer has taken what we owe it (WIR-6). */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
/** The initial buffer: enough for a dozen requests. */
const BUFFER_BYTES_MIN = 256;
const BUFFER_BYTES_MAX = 16 * 1024;
/** An idle connection holds no memory. */
const NOTHING = new Uint8Array(0);
/** The time span of `takenLately`. */
const TAKEN_MS = 1_000;

interface LentMemory {
  /** How many written bytes must have left before the memory is free. */
  readonly end: number;
  readonly onLeft: () => void;
}

/**
 * The output to one peer: small messages are gathered in one buffer and written together when the burst of events that
 * caused them is over; blocks are sent from the memory into which they were read.
 */
export class SendBuffer {
  #connection: StreamConnection;
  readonly #onGathered: () => void;
  #buffer = NOTHING;
  /** The size of the next buffer: as much as was gathered lately. Growing a buffer copies it. */
  #usualBytes = BUFFER_BYTES_MIN;
  #length = 0;
  #sentTotal = 0;
  #writtenTotal = 0;
  /** Bytes that the system accepted in this half second, and in the one before. */
  #taken = 0;
  #takenBefore = 0;
  #halfAtMs = 0;
  readonly #lent: LentMemory[] = [];
  #runsSent = 0;
  #reading = true;
  #closed = false;

  /** @param onGathered - Called when the first message is gathered: flush it soon. */
  constructor(connection: StreamConnection, onGathered: () => void) {
    this.#connection = connection;
    this.#onGathered = onGathered;
  }

  /** Bytes gathered or written that have not left. */
  get bufferedBytes(): number {
    return this.#length + this.#connection.bufferedBytes;
  }

  /** Bytes that the operating system has accepted since the connection began. */
  get sentTotal(): number {
    return this.#sentTotal;
  }

  /** Runs of blocks that the operating system has accepted since the connection began. */
  get runsSent(): number {
    return this.#runsSent;
  }

  /** Bytes passed to the connection since it began. */
  get writtenTotal(): number {
    return this.#writtenTotal;
  }

  /** Written bytes that the other machine has not acknowledged; `undefined` when unknown. It may cost something. */
  unackedBytes(): number | undefined {
    return this.#connection.unackedBytes();
  }

  /** Bytes that the system accepted in the last second, or slightly more. */
  takenLately(now: number): number {
    this.#turnHalf(now);
    return this.#taken + this.#takenBefore;
  }

  /** From now on bytes go to that stream. Bytes written before leave as they are, and are still counted. */
  writeTo(connection: StreamConnection): void {
    this.#connection = connection;
  }

  keepAlive(): void {
    this.#reserve(KEEP_ALIVE_BYTES);
    this.#length = writeKeepAlive(this.#buffer, this.#length);
  }

  signal(id: SignalId): void {
    this.#reserve(SIGNAL_BYTES);
    this.#length = writeSignal(this.#buffer, this.#length, id);
  }

  have(piece: number): void {
    this.#reserve(INDEX_BYTES);
    this.#length = writeHave(this.#buffer, this.#length, piece);
  }

  allowedFast(piece: number): void {
    this.#reserve(INDEX_BYTES);
    this.#length = writeAllowedFast(this.#buffer, this.#length, piece);
  }

  request(piece: number, begin: number, length: number): void {
    this.#reserve(ADDRESS_BYTES);
    this.#length = writeRequest(this.#buffer, this.#length, { piece, begin, length });
  }

  cancel(piece: number, begin: number, length: number): void {
    this.#reserve(ADDRESS_BYTES);
    this.#length = writeCancel(this.#buffer, this.#length, { piece, begin, length });
  }

  reject(piece: number, begin: number, length: number): void {
    this.#reserve(ADDRESS_BYTES);
    this.#length = writeReject(this.#buffer, this.#length, { piece, begin, length });
  }

  /**
   * Sends the first message about pieces: all or none in 5 bytes where the peer supports that.
   *
   * @param have - `undefined` while we know of no piece.
   * @param fast - Whether both sides speak BEP 6.
   */
  possession(have: Bitfield | undefined, fast: boolean): void {
    if (fast && have?.full === true) this.signal(MESSAGE.haveAll);
    else if (have && have.count > 0) this.frame(encodeBitfield(have.bytes));
    else if (fast) this.signal(MESSAGE.haveNone);
  }

  /** @param bytes - A whole message; it is copied. */
  frame(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /**
   * Passes messages with blocks to the socket as they are, after everything gathered before.
   *
   * @param onLeft - Called when the bytes have left, or the connection has ended: their memory is free.
   */
  blocks(messages: Uint8Array, onLeft: () => void): void {
    if (this.#closed) {
      onLeft();
      return;
    }
    this.flush();
    this.#lent.push({ end: this.#writtenTotal + messages.length, onLeft });
    this.#write(messages);
  }

  /** Writes the gathered messages. Cheap when there are none. */
  flush(): void {
    if (this.#length === 0 || this.#closed) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    const usual = Math.max(this.#length, this.#usualBytes >> 1, BUFFER_BYTES_MIN);
    this.#usualBytes = Math.min(usual, BUFFER_BYTES_MAX);
    this.#buffer = NOTHING;
    this.#length = 0;
    this.#write(bytes);
  }

  handleSent(bytes: number, now: number): void {
    this.#sentTotal += bytes;
    this.#turnHalf(now);
    this.#taken += bytes;
    while (this.#lent.length > 0 && this.#lent[0]!.end <= this.#sentTotal) {
      this.#runsSent += 1;
      this.#lent.shift()!.onLeft();
    }
    if (!this.#reading && this.#connection.bufferedBytes < OUTPUT_BYTES_MAX / 2) {
      this.#reading = true;
      this.#connection.resumeReading();
    }
  }

  /** The connection has ended: lent memory is returned, and nothing more is written. */
  close(): void {
    this.#closed = true;
    for (const { onLeft } of this.#lent.splice(0)) onLeft();
  }

  #turnHalf(now: number): void {
    const elapsedMs = now - this.#halfAtMs;
    if (elapsedMs < TAKEN_MS / 2) return;
    this.#takenBefore = elapsedMs < TAKEN_MS ? this.#taken : 0;
    this.#taken = 0;
    this.#halfAtMs = now;
  }

  #write(bytes: Uint8Array): void {
    this.#writtenTotal += bytes.length;
    this.#connection.write(bytes);
    if (this.#reading && this.#connection.bufferedBytes > OUTPUT_BYTES_MAX) {
      this.#reading = false;
      this.#connection.pauseReading();
    }
  }

  #reserve(bytes: number): void {
    if (this.#length === 0) this.#onGathered();
    const needed = this.#length + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2, this.#usualBytes));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
