import type { Slab } from "../ports/content.ts";
import type { StreamConnection } from "../ports/net.ts";
import {
  ADDRESS_BYTES,
  INDEX_BYTES,
  KEEP_ALIVE_BYTES,
  SIGNAL_BYTES,
  writeCancel,
  writeHave,
  writeKeepAlive,
  writeReject,
  writeRequest,
  writeSignal,
  writeSuggest,
} from "../wire/encode-messages.ts";
import type { SignalId } from "../wire/message-id.ts";

/** Above this the peer's socket is not read until it has taken what we owe it (WIR-6). */
const OUTPUT_BYTES_MAX = 4 * 1024 * 1024;
const BUFFER_BYTES = 1024;

interface LentSlab {
  /** Count of written bytes that must have left before the slab is free. */
  readonly end: number;
  readonly slab: Slab;
  readonly give: (slab: Slab) => void;
}

/**
 * What goes out to one peer: small messages are gathered in one buffer and written together when the
 * burst of events that caused them is over; blocks go out of the slabs they were read to.
 */
export class PeerOutput {
  readonly #connection: StreamConnection;
  readonly #onGathered: () => void;
  #buffer = new Uint8Array(BUFFER_BYTES);
  #length = 0;
  #sentTotal = 0;
  #writtenTotal = 0;
  /** `#sentTotal` when something had last left, or nothing waited. */
  #sentMark = -1;
  #movedAtMs = 0;
  readonly #lent: LentSlab[] = [];
  #reading = true;
  #closed = false;

  /** @param onGathered - Called when the first message is gathered: flush it before long. */
  constructor(connection: StreamConnection, onGathered: () => void) {
    this.#connection = connection;
    this.#onGathered = onGathered;
  }

  /** Bytes gathered or written that have not left. */
  get bufferedBytes(): number {
    return this.#length + this.#connection.bufferedBytes;
  }

  /** Bytes that have left for the peer since the connection began. */
  get sentTotal(): number {
    return this.#sentTotal;
  }

  /** How long nothing has left although something waits. Looks when it is asked: ask at every tick. */
  stalledMs(now: number): number {
    if (this.#connection.bufferedBytes === 0 || this.#sentTotal !== this.#sentMark) {
      this.#sentMark = this.#sentTotal;
      this.#movedAtMs = now;
    }
    return now - this.#movedAtMs;
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

  suggest(piece: number): void {
    this.#reserve(INDEX_BYTES);
    this.#length = writeSuggest(this.#buffer, this.#length, piece);
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

  /** @param bytes - A whole message, copied. */
  frame(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /**
   * Hands frames with blocks to the socket, behind everything gathered before.
   *
   * @param length - Bytes of the slab that are frames.
   * @param give - Called with the slab when the bytes have left, or the connection has ended.
   */
  slab(slab: Slab, length: number, give: (slab: Slab) => void): void {
    if (this.#closed) {
      give(slab);
      return;
    }
    this.flush();
    this.#lent.push({ end: this.#writtenTotal + length, slab, give });
    this.#write(slab.view.subarray(0, length));
  }

  /** Writes what was gathered. Cheap when there is nothing. */
  flush(): void {
    if (this.#length === 0 || this.#closed) return;
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#buffer = new Uint8Array(BUFFER_BYTES);
    this.#length = 0;
    this.#write(bytes);
  }

  handleSent(bytes: number): void {
    this.#sentTotal += bytes;
    while (this.#lent.length > 0 && this.#lent[0]!.end <= this.#sentTotal) {
      const { slab, give } = this.#lent.shift()!;
      give(slab);
    }
    if (!this.#reading && this.#connection.bufferedBytes < OUTPUT_BYTES_MAX / 2) {
      this.#reading = true;
      this.#connection.resumeReading();
    }
  }

  /** The connection has ended: lent memory comes back, nothing more is written. */
  close(): void {
    this.#closed = true;
    for (const { slab, give } of this.#lent.splice(0)) give(slab);
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
    const grown = new Uint8Array(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
  }
}
