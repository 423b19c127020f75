import { invariant } from "../base/errors.ts";
import type { DatagramTrains } from "./datagram-trains.ts";
import type { MtuSearch } from "./mtu-search.ts";
import type { OutPacket, PacketPool } from "./out-packet.ts";
import { DATA, type FIN, HEADER_BYTES, type PacketHead, STATE, type SYN } from "./packet.ts";
import { sequenceAfter, sequenceDistance } from "./sequence.ts";
import { WriteQueue } from "./write-queue.ts";

/** Packets that are not acknowledged; a power of two. */
const PACKETS_MAX = 4096;
const RING_FIRST = 32;
/** A packet is lost when so many that were sent after it have arrived. */
const LATER_ARRIVALS = 3;

/** What one ack brought. One record is used for all of them. */
export interface AckResult {
  ackedBytes: number;
  /** Datagrams: a train counts once, as chance and queues see it. */
  ackedPackets: number;
  lostPackets: number;
  /**
   * Of the packet that was sent last of all that have arrived so far; `undefined` when this ack brought an earlier one,
   * or it was sent more than once. What a selective ack had no room for is told late, and says nothing of the way.
   */
  roundTripMs: number | undefined;
}

/**
 * Our packets from the written byte to the ack: cut, sent, found lost, sent again. A packet keeps its number and its
 * bytes for ever.
 *
 * Packet: sent -> acknowledged, or sent -> lost -> sent.
 */
export class SendSide {
  readonly written = new WriteQueue();
  readonly #pool: PacketPool;
  readonly #mtu: MtuSearch;
  readonly #trains: DatagramTrains;
  /** The packets from `#oldest` to `#next`, by number; a number that is acknowledged out of order has its packet still. */
  #ring: (OutPacket | undefined)[] = emptyRing(RING_FIRST);
  #oldest: number;
  #next: number;
  #inFlightBytes = 0;
  #inFlightPackets = 0;
  #unackedBytes = 0;
  #lost = 0;
  /** No packet before this number is lost. */
  #lostFrom: number;
  #order = 0;
  /** The latest sendings that have arrived, the latest first. */
  readonly #arrived: number[] = Array.from({ length: LATER_ARRIVALS }, () => 0);
  #repeatedAcks = 0;
  /** The sendings that this ack has counted last. */
  #countedAck = 0;
  #countedLoss = 0;
  readonly #result: AckResult = {
    ackedBytes: 0,
    ackedPackets: 0,
    lostPackets: 0,
    roundTripMs: undefined,
  };

  constructor(options: {
    readonly pool: PacketPool;
    readonly mtu: MtuSearch;
    readonly trains: DatagramTrains;
    readonly firstSequence: number;
  }) {
    this.#pool = options.pool;
    this.#mtu = options.mtu;
    this.#trains = options.trains;
    this.#oldest = options.firstSequence;
    this.#next = options.firstSequence;
    this.#lostFrom = options.firstSequence;
  }

  /** The number of the next new packet; packets that only acknowledge carry it too. */
  get nextSequence(): number {
    return this.#next;
  }

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  get isIdle(): boolean {
    return this.#inFlightPackets === 0;
  }

  /** Nothing waits for an ack, lost packets included. */
  get isAllAcked(): boolean {
    return this.#oldest === this.#next;
  }

  /** Payload in packets that are not acknowledged. */
  get unackedBytes(): number {
    return this.#unackedBytes;
  }

  get hasLost(): boolean {
    return this.#lost > 0;
  }

  /** The packet that the peer waits for is lost. */
  get isOldestLost(): boolean {
    return this.#lost > 0 && this.#at(this.#oldest).isLost;
  }

  /** @returns Whether we ever sent what this acknowledges. Others are lies, or belong to an older connection (WIR-21). */
  isPossible(ack: number): boolean {
    const sent = sequenceDistance(this.#oldest, this.#next);
    // Old acks come late, at most a window ago.
    const distance = sequenceDistance(this.#oldest, sequenceAfter(ack, 1));
    return distance <= sent && distance >= -PACKETS_MAX;
  }

  /** @returns Whether the ack is no older than the newest one. */
  isRecent(ack: number): boolean {
    return sequenceDistance(this.#oldest, sequenceAfter(ack, 1)) >= 0;
  }

  /**
   * Takes an ack that `isPossible`.
   *
   * @param packet - Holds the bits of the selective ack.
   * @returns Valid until the next call.
   */
  handleAck(head: PacketHead, packet: Uint8Array, nowMs: number): AckResult {
    const result = this.#result;
    result.ackedBytes = 0;
    result.ackedPackets = 0;
    result.lostPackets = 0;
    result.roundTripMs = undefined;
    this.#countedAck = 0;
    this.#countedLoss = 0;
    const distance = sequenceDistance(this.#oldest, sequenceAfter(head.ack, 1));
    if (distance < 0) return result;
    for (let i = 0; i < distance; i += 1) {
      const acked = this.#at(this.#oldest);
      this.#arrive(acked, nowMs);
      this.#ring[this.#oldest & (this.#ring.length - 1)] = undefined;
      this.#pool.giveBack(acked);
      this.#oldest = sequenceAfter(this.#oldest, 1);
    }
    if (sequenceDistance(this.#lostFrom, this.#oldest) > 0) this.#lostFrom = this.#oldest;
    if (distance > 0) this.#repeatedAcks = 0;
    if (head.sackBytes > 0) this.#handleSelectiveAck(head, packet, nowMs);
    else if (distance === 0 && head.type === STATE) this.#handleRepeatedAck(nowMs);
    return result;
  }

  #handleSelectiveAck(head: PacketHead, packet: Uint8Array, nowMs: number): void {
    let highest = this.#oldest;
    for (let i = 0; i < head.sackBytes; i += 1) {
      const bits = packet[head.sackStart + i]!;
      if (bits === 0) continue;
      for (let bit = 0; bit < 8; bit += 1) {
        if ((bits & (1 << bit)) === 0) continue;
        const sequence = sequenceAfter(head.ack, 2 + i * 8 + bit);
        if (sequenceDistance(this.#oldest, sequence) < 0) continue;
        // What was never sent has not arrived, whatever the peer says.
        if (sequenceDistance(sequence, this.#next) <= 0) return this.#findLost(highest, nowMs);
        highest = sequence;
        this.#arrive(this.#at(sequence), nowMs);
      }
    }
    this.#findLost(highest, nowMs);
  }

  /** Marks packets as lost up to `highest`: those sent before three that have arrived. */
  #findLost(highest: number, nowMs: number): void {
    const before = this.#arrived[LATER_ARRIVALS - 1]!;
    const count = sequenceDistance(this.#oldest, highest);
    for (let i = 0; i < count; i += 1) {
      const packet = this.#at(sequenceAfter(this.#oldest, i));
      if (packet.isAcked || packet.isLost || packet.order >= before) continue;
      this.#lose(packet, nowMs);
    }
  }

  /** Peers without selective acks repeat the last one for each packet after a hole. */
  #handleRepeatedAck(nowMs: number): void {
    if (this.isAllAcked) return;
    this.#repeatedAcks += 1;
    if (this.#repeatedAcks !== LATER_ARRIVALS) return;
    const packet = this.#at(this.#oldest);
    if (!packet.isLost && !packet.isAcked && packet.sendings === 1) this.#lose(packet, nowMs);
  }

  #arrive(packet: OutPacket, nowMs: number): void {
    if (packet.isAcked) return;
    packet.isAcked = true;
    const result = this.#result;
    result.ackedBytes += packet.payloadBytes;
    if (packet.order !== this.#countedAck) result.ackedPackets += 1;
    this.#countedAck = packet.order;
    if (packet.order > this.#arrived[0]!) {
      result.roundTripMs = packet.sendings === 1 ? nowMs - packet.sentAtMs : undefined;
    }
    this.#unackedBytes -= packet.payloadBytes;
    if (packet.isLost) {
      packet.isLost = false;
      this.#lost -= 1;
    } else {
      this.#inFlightBytes -= packet.payloadBytes;
      this.#inFlightPackets -= 1;
    }
    if (packet.isProbe) this.#mtu.probeArrived(packet.datagramBytes);
    else if (packet.datagramBytes === this.#mtu.sizeBytes) this.#mtu.sizeArrived();
    packet.isProbe = false;
    if (packet.isInTrain) this.#trains.arrived();
    this.#noteArrived(packet.order);
  }

  #noteArrived(order: number): void {
    const arrived = this.#arrived;
    for (let i = 0; i < LATER_ARRIVALS; i += 1) {
      if (order === arrived[i]) return;
      if (order < arrived[i]!) continue;
      arrived.copyWithin(i + 1, i);
      arrived[i] = order;
      return;
    }
  }

  #lose(packet: OutPacket, nowMs: number): void {
    packet.isLost = true;
    this.#lost += 1;
    this.#inFlightBytes -= packet.payloadBytes;
    this.#inFlightPackets -= 1;
    if (sequenceDistance(this.#lostFrom, packet.sequence) < 0) this.#lostFrom = packet.sequence;
    // A probe or a trial may be lost because of its size: that says nothing about the queue.
    if (packet.isProbe) this.#mtu.probeLost(packet.datagramBytes);
    else if (!packet.isTrial && packet.order !== this.#countedLoss) this.#result.lostPackets += 1;
    this.#countedLoss = packet.order;
    if (packet.isInTrain) this.#trains.lost(nowMs);
    packet.isProbe = false;
    packet.isInTrain = false;
    packet.isTrial = false;
  }

  /** Nothing was acknowledged in time: everything counts as lost. */
  handleTimeout(nowMs: number): void {
    this.#repeatedAcks = 0;
    const count = sequenceDistance(this.#oldest, this.#next);
    for (let i = 0; i < count; i += 1) {
      const packet = this.#at(sequenceAfter(this.#oldest, i));
      if (packet.isAcked || packet.isLost) continue;
      if (packet.isInTrain) this.#trains.handleTimeout(nowMs);
      this.#lose(packet, nowMs);
    }
    this.#lostFrom = this.#oldest;
  }

  /** @returns The oldest lost packet, which is to be sent now; call it when `hasLost`. */
  nextLost(): OutPacket {
    for (;;) {
      const packet = this.#at(this.#lostFrom);
      if (packet.isLost) return packet;
      this.#lostFrom = sequenceAfter(this.#lostFrom, 1);
    }
  }

  /** @returns The payload of the next train; 0 when the next packet goes alone. */
  nextTrainBytes(now: { readonly nowMs: number; readonly windowBytes: number }): number {
    if (!this.#mtu.isDone) return 0;
    const packetBytes = this.#mtu.sizeBytes;
    const bytes = this.#trains.nextPayloadBytes({
      ...now,
      writtenBytes: this.written.bytes,
      packetBytes,
    });
    const packets = Math.ceil(bytes / (packetBytes - HEADER_BYTES));
    return sequenceDistance(this.#oldest, this.#next) + packets > PACKETS_MAX ? 0 : bytes;
  }

  /** @returns The payload that the next new packet would have; 0 when there is none, or too many are on their way. */
  get nextPayloadBytes(): number {
    if (sequenceDistance(this.#oldest, this.#next) >= PACKETS_MAX) return 0;
    return Math.min(this.written.bytes, this.#mtu.sizeBytes - HEADER_BYTES);
  }

  /** Cuts a packet from the written bytes; call it when `nextPayloadBytes` is not 0. */
  cutPacket(): OutPacket {
    const probeBytes = this.#mtu.nextProbe();
    // A probe is worth it only among others, which show that it is its size that is lost.
    if (probeBytes !== undefined && this.written.bytes >= 4 * probeBytes) {
      const probe = this.#cut(probeBytes - HEADER_BYTES);
      probe.isProbe = true;
      this.#mtu.probeSent();
      return probe;
    }
    return this.#cut(Math.min(this.written.bytes, this.#mtu.sizeBytes - HEADER_BYTES));
  }

  /**
   * Cuts the packets of a train from the written bytes. They count as sent from now on, in one sending.
   *
   * @param payload - Receives their payload.
   * @param packetBytes - The payload of each; the last one has the rest.
   * @returns The number of the first.
   */
  sendTrain(payload: Uint8Array, packetBytes: number, nowMs: number): number {
    const first = this.#next;
    this.#order += 1;
    for (let at = 0; at < payload.length; at += packetBytes) {
      const packet = this.#cut(Math.min(packetBytes, payload.length - at));
      packet.isInTrain = true;
      packet.isTrial = this.#trains.isTrial;
      payload.set(packet.bytes.subarray(HEADER_BYTES, packet.datagramBytes), at);
      this.#depart(packet, nowMs);
    }
    this.#trains.sent();
    return first;
  }

  #cut(payloadBytes: number): OutPacket {
    const packet = this.#add(DATA);
    packet.payloadBytes = payloadBytes;
    packet.datagramBytes = HEADER_BYTES + payloadBytes;
    this.written.take(packet.bytes, HEADER_BYTES, payloadBytes);
    this.#unackedBytes += payloadBytes;
    return packet;
  }

  addControl(type: typeof SYN | typeof FIN): OutPacket {
    const packet = this.#add(type);
    packet.payloadBytes = 0;
    packet.datagramBytes = HEADER_BYTES;
    return packet;
  }

  /** The packet goes out now, for the first time or again. */
  noteSent(packet: OutPacket, nowMs: number): void {
    if (packet.isLost) {
      packet.isLost = false;
      this.#lost -= 1;
    }
    this.#order += 1;
    this.#depart(packet, nowMs);
  }

  #depart(packet: OutPacket, nowMs: number): void {
    packet.order = this.#order;
    packet.sendings += 1;
    packet.sentAtMs = nowMs;
    this.#inFlightBytes += packet.payloadBytes;
    this.#inFlightPackets += 1;
  }

  /** Gives all memory back. */
  close(): void {
    while (this.#oldest !== this.#next) {
      this.#pool.giveBack(this.#at(this.#oldest));
      this.#oldest = sequenceAfter(this.#oldest, 1);
    }
    this.#ring.fill(undefined);
    this.#inFlightBytes = 0;
    this.#inFlightPackets = 0;
    this.#unackedBytes = 0;
    this.#lost = 0;
    this.written.clear();
  }

  #add(type: typeof DATA | typeof FIN | typeof SYN): OutPacket {
    if (sequenceDistance(this.#oldest, this.#next) === this.#ring.length) this.#grow();
    const packet = this.#pool.take();
    packet.type = type;
    packet.sequence = this.#next;
    this.#ring[this.#next & (this.#ring.length - 1)] = packet;
    this.#next = sequenceAfter(this.#next, 1);
    return packet;
  }

  #grow(): void {
    const larger = emptyRing(this.#ring.length * 2);
    for (const packet of this.#ring) {
      if (packet) larger[packet.sequence & (larger.length - 1)] = packet;
    }
    this.#ring = larger;
  }

  #at(sequence: number): OutPacket {
    const packet = this.#ring[sequence & (this.#ring.length - 1)];
    invariant(packet, "every number from the oldest to the next has its packet");
    return packet;
  }
}

function emptyRing(length: number): (OutPacket | undefined)[] {
  return Array.from({ length }, () => undefined);
}
