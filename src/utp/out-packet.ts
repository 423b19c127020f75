import { DATA, type PacketType } from "./packet.ts";

/** Memory of packets that are kept for later use, for one size of them. */
const SPARE_BYTES_MAX = 2 * 1024 * 1024;

/** A packet that we sent, or are about to send, until it is acknowledged. It is used again afterwards. */
export class OutPacket {
  /** The head, written anew for each sending, and then the payload. */
  readonly bytes: Uint8Array;
  type: PacketType = DATA;
  sequence = 0;
  /** Of the head and the payload. */
  datagramBytes = 0;
  payloadBytes = 0;
  sentAtMs = 0;
  /** Counts up over all sendings of a connection: which was later. */
  order = 0;
  sendings = 0;
  isAcked = false;
  /** It has to be sent again. */
  isLost = false;
  /** It tries a larger size (`MtuSearch`). */
  isProbe = false;

  constructor(bytesMax: number) {
    this.bytes = new Uint8Array(bytesMax);
  }
}

/** Packets to use again, shared by all connections of a port. */
export class PacketPool {
  readonly #spare: OutPacket[] = [];
  readonly #packetBytes: number;

  /** @param packetBytes - The largest datagram. */
  constructor(packetBytes: number) {
    this.#packetBytes = packetBytes;
  }

  take(): OutPacket {
    return this.#spare.pop() ?? new OutPacket(this.#packetBytes);
  }

  giveBack(packet: OutPacket): void {
    packet.sendings = 0;
    packet.isAcked = false;
    packet.isLost = false;
    packet.isProbe = false;
    if (this.#spare.length * this.#packetBytes < SPARE_BYTES_MAX) this.#spare.push(packet);
  }
}
