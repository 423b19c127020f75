import { DATA, DATAGRAM_BYTES_MAX, type PacketType } from "./packet.ts";

/** Packets that are kept for later use, with their memory: 1.5 MB. */
const SPARE_MAX = 1024;

/** A packet that we sent, or are about to send, until it is acknowledged. It is used again afterwards. */
export class OutPacket {
  /** The head, written anew for each sending, and then the payload. */
  readonly bytes = new Uint8Array(DATAGRAM_BYTES_MAX);
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
  /** It went out with others in one datagram, and tried whether that arrives (`DatagramTrains`). */
  isInTrain = false;
  isTrial = false;
}

/** Packets to use again, shared by all connections of a port. */
export class PacketPool {
  readonly #spare: OutPacket[] = [];

  take(): OutPacket {
    return this.#spare.pop() ?? new OutPacket();
  }

  giveBack(packet: OutPacket): void {
    packet.sendings = 0;
    packet.isAcked = false;
    packet.isLost = false;
    packet.isProbe = false;
    packet.isInTrain = false;
    packet.isTrial = false;
    if (this.#spare.length < SPARE_MAX) this.#spare.push(packet);
  }
}
