import type { Endpoint } from "../base/endpoint.ts";
import type { EndpointAddress } from "../base/peer-address.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import { AckPolicy } from "./ack-policy.ts";
import type { ConnectionHost, ConnectionStart } from "./connection-host.ts";
import type { Timed } from "./deadlines.ts";
import { DatagramTrains, TRAIN_BYTES_MAX, TRAIN_BYTES_MIN } from "./datagram-trains.ts";
import { DelayMeter } from "./delay-meter.ts";
import { Incoming } from "./incoming.ts";
import { Ledbat } from "./ledbat.ts";
import { MtuSearch } from "./mtu-search.ts";
import type { OutPacket } from "./out-packet.ts";
import { Pacer } from "./pacer.ts";
import {
  DATA,
  encodeHead,
  encodeSelectiveAck,
  encodeTrain,
  FIN,
  HEADER_BYTES,
  type HeadFields,
  type PacketHead,
  type PacketType,
  RESET,
  SACK_OFFSET,
  SELECTIVE_ACK_BYTES_MAX,
  STATE,
  SYN,
  TRAIN_HEAD_BYTES,
} from "./packet.ts";
import { RoundTrip } from "./round-trip.ts";
import { SendSide } from "./send-side.ts";
import { sequenceAfter, toMicroseconds } from "./sequence.ts";

/** The connection ends after so many waits without an ack, each twice as long: about a minute. */
const TIMEOUTS_MAX = 6;
/** Large packets are suspected after so many. */
const BLACK_HOLE_TIMEOUTS = 2;
/** We say goodbye for so long at most. */
const ENDING_MS = 15_000;
/** The pacer lets the next packets go after this. */
const PACE_MS = 5;
const NONE = Number.POSITIVE_INFINITY;

/**
 * One uTP connection. Packets and deadlines come in by calls; what has to go out is decided in `flush`, once for each burst
 * of events, so that one ack serves a burst of packets.
 *
 * calling -> connected -> ending -> closed; calling -> closed; connected -> closed.
 */
export class UtpConnection implements StreamConnection, Timed {
  readonly remote: EndpointAddress<"utp">;
  readonly receiveId: number;
  readonly sendId: number;
  /** Of the flush: whether it is planned. Only the host changes it. */
  isFlushPlanned = false;
  /** Packets from the peer. Only `PeerQueues` changes it. */
  packetsIn = 0;
  waitingFor = -1;
  readonly #host: ConnectionHost<UtpConnection>;
  readonly #mtu: MtuSearch;
  readonly #trains = new DatagramTrains();
  readonly #sender: SendSide;
  readonly #incoming: Incoming;
  readonly #ledbat: Ledbat;
  readonly #pacer = new Pacer();
  readonly #roundTrip = new RoundTrip();
  readonly #delays = new DelayMeter();
  readonly #acks = new AckPolicy();
  readonly #head: HeadFields;
  #handler: StreamHandler | undefined;
  #phase: "calling" | "connected" | "ending" | "closed";
  #deadlineMs = NONE;
  /** The end of the time for calling, or for ending. */
  #phaseEndMs = NONE;
  #timeoutFromMs = 0;
  #heardSinceTimeout = false;
  #peerWindowBytes = 0;
  #mayProbeWindow = false;
  #isWindowLimited = false;
  #isPaced = false;
  #hasFin = false;
  /** Bytes that went into packets since the handler was told. */
  #takenBytes = 0;

  constructor(host: ConnectionHost<UtpConnection>, start: ConnectionStart) {
    this.#host = host;
    this.remote = { kind: "utp", endpoint: start.remote };
    this.receiveId = start.receiveId;
    this.sendId = start.sendId;
    this.#mtu = new MtuSearch(start.remote.address.includes(":") ? 6 : 4);
    this.#ledbat = new Ledbat(this.#mtu.sizeBytes - HEADER_BYTES);
    this.#sender = new SendSide({
      pool: host.pool,
      mtu: this.#mtu,
      trains: this.#trains,
      firstSequence: start.firstSequence,
    });
    this.#phase = start.call === undefined ? "calling" : "connected";
    this.#incoming = new Incoming({
      ack: start.call ?? 0,
      memory: host.memory,
      acks: this.#acks,
      reader: () => this.#handler,
    });
    this.#head = {
      type: DATA,
      connectionId: start.sendId,
      timestamp: 0,
      timestampDifference: 0,
      windowBytes: 0,
      sequence: 0,
      ack: 0,
    };
  }

  get local(): Endpoint | undefined {
    return this.#phase === "calling" ? undefined : this.#host.local;
  }

  get bufferedBytes(): number {
    return this.#sender.written.bytes + this.#takenBytes;
  }

  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  unackedBytes(): number {
    return this.#sender.written.bytes + this.#sender.unackedBytes;
  }

  /** Sends events to this handler from now on. */
  attach(handler: StreamHandler): void {
    this.#handler = handler;
  }

  /** Starts to call. */
  call(timeoutMs: number): void {
    this.#phaseEndMs = this.#host.clock.nowMs() + timeoutMs;
    this.#transmit(this.#sender.addControl(SYN));
    this.#updateDeadline();
  }

  /** The call is not made; the handler is told later. */
  refuse(failure: NetFailure): void {
    this.#host.clock.startTimer(0, () => this.#close(failure));
  }

  write(bytes: Uint8Array): void {
    if (this.#phase === "ending" || this.#phase === "closed") return;
    this.#sender.written.push(bytes);
    if (this.#phase === "connected") this.#host.planFlush(this);
  }

  pauseReading(): void {
    this.#incoming.isPaused = true;
  }

  resumeReading(): void {
    this.#incoming.isPaused = false;
    if (this.#incoming.unreadBytes > 0) this.#host.planFlush(this);
  }

  get datagramBytesMax(): number | undefined {
    const bytes = this.#host.bytesMaxTo(this.remote.endpoint.address) ?? 0;
    return bytes < TRAIN_BYTES_MIN ? undefined : Math.min(bytes, TRAIN_BYTES_MAX);
  }

  allowDatagrams(bytesMax: number): void {
    this.#trains.allow(Math.min(bytesMax, this.datagramBytesMax ?? 0));
  }

  destroy(): void {
    this.#handler = undefined;
    if (this.#phase === "connected") this.#end();
    else if (this.#phase === "calling") this.#close(undefined);
  }

  /** Ends at once and tells the peer so; the handler is not called. */
  abort(): void {
    this.#handler = undefined;
    if (this.#phase === "closed") return;
    this.#sendEmpty(RESET);
    this.#close(undefined);
  }

  handlePacket(head: PacketHead, bytes: Uint8Array): void {
    if (this.#phase === "closed") return;
    if (head.type === RESET) {
      const isCalling = this.#phase === "calling";
      const code = isCalling ? "ECONNREFUSED" : "ECONNRESET";
      this.#close({ code, message: isCalling ? "the peer refused" : "the peer reset it" });
      return;
    }
    const nowMs = this.#host.clock.nowMs();
    if (head.type === SYN) {
      // Our answer got lost, or the call came twice.
      this.#acks.hurry();
      this.#host.planFlush(this);
      return;
    }
    if (!this.#sender.isPossible(head.ack)) return;
    this.#heardSinceTimeout = true;
    this.#delays.handleTimestamp(head.timestamp, nowMs);
    if (this.#phase === "calling") {
      if (head.type !== STATE || !this.#isAnswer(head)) return;
      // STATE has the number of the first packet that follows.
      this.#incoming.order.start(sequenceAfter(head.sequence, -1));
      this.#phase = "connected";
      this.#phaseEndMs = NONE;
      this.#handleAck(head, bytes, nowMs);
      this.#handler?.handleOpen();
    } else {
      this.#handleAck(head, bytes, nowMs);
      if (head.type === DATA || head.type === FIN) this.#receive(head, bytes, nowMs);
    }
    this.#host.planFlush(this);
  }

  /** Sends what may be sent, acknowledges what came, tells the handler. */
  flush(): void {
    if (this.#phase === "closed") return;
    if (this.#incoming.deliverUnread()) this.#endWithPeer();
    this.#sendPackets();
    if (this.#acks.isDue(this.#host.clock.nowMs())) this.#sendEmpty(STATE);
    const takenBytes = this.#takenBytes;
    this.#takenBytes = 0;
    if (this.#phase === "ending" && this.#hasFin && this.#sender.isAllAcked) this.#close(undefined);
    else this.#updateDeadline();
    if (takenBytes > 0) this.#handler?.handleSent(takenBytes);
  }

  handleDeadline(): void {
    const nowMs = this.#host.clock.nowMs();
    if (nowMs >= this.#phaseEndMs) {
      this.#close({ code: "ETIMEDOUT", message: "the peer did not answer in time" });
      return;
    }
    if (this.#awaitsAck && nowMs >= this.#timeoutFromMs + this.#roundTrip.timeoutMs) {
      this.#handleTimeout(nowMs);
    }
    this.flush();
  }

  #isAnswer(head: PacketHead): boolean {
    return sequenceAfter(head.ack, 1) === this.#sender.nextSequence;
  }

  #handleAck(head: PacketHead, bytes: Uint8Array, nowMs: number): void {
    if (!this.#sender.isRecent(head.ack)) return;
    const wasClosed = this.#isWindowClosed;
    this.#peerWindowBytes = head.windowBytes;
    // The wait for room is over: what was lost in it is sent at once.
    if (wasClosed && !this.#isWindowClosed) this.#timeoutFromMs = nowMs;
    const { ackedBytes, ackedPackets, lostPackets, roundTripMs } = this.#sender.handleAck(
      head,
      bytes,
      nowMs,
    );
    if (roundTripMs !== undefined) {
      this.#roundTrip.add(roundTripMs);
      this.#delays.handleRoundTrip(roundTripMs, nowMs);
    }
    this.#delays.handleDifference(head.timestampDifference, nowMs);
    if (ackedPackets > 0) {
      this.#timeoutFromMs = nowMs;
      this.#roundTrip.progressed();
      this.#ledbat.setMinimum(this.#mtu.sizeBytes - HEADER_BYTES);
      this.#ledbat.handleAck({
        nowMs,
        ackedBytes,
        ackedPackets,
        queueUs: this.#delays.queueUs,
        roundTripQueueUs: this.#delays.roundTripQueueUs,
        roundTripBaseUs: this.#delays.roundTripBaseUs,
        isWindowLimited: this.#isWindowLimited,
      });
    }
    if (lostPackets > 0) {
      this.#ledbat.handleLoss(lostPackets, { nowMs, roundTripMs: this.#roundTrip.meanMs ?? 0 });
    }
  }

  #receive(head: PacketHead, bytes: Uint8Array, nowMs: number): void {
    if (this.#incoming.take(head, bytes, nowMs)) this.#endWithPeer();
  }

  /** The peer has ended, and everything was read: a peer that closed its side reads no more either. */
  #endWithPeer(): void {
    const { order, isHolding } = this.#incoming;
    if (!order.isComplete || isHolding || this.#phase !== "connected") return;
    const handler = this.#handler;
    this.#handler = undefined;
    this.#end();
    handler?.handleClose(undefined);
  }

  /** The peer has no room for a packet. */
  get #isWindowClosed(): boolean {
    return this.#peerWindowBytes < this.#mtu.sizeBytes - HEADER_BYTES;
  }

  get #awaitsAck(): boolean {
    if (!this.#sender.isAllAcked) return true;
    return this.#isWindowClosed && this.#sender.written.bytes > 0;
  }

  #sendPackets(): void {
    if (this.#phase === "calling") {
      if (this.#sender.hasLost) this.#transmit(this.#sender.nextLost());
      return;
    }
    this.#pacer.advance({
      nowMs: this.#host.clock.nowMs(),
      windowBytes: this.#ledbat.windowBytes,
      roundTripMs: this.#roundTrip.meanMs,
      isSlowStart: this.#ledbat.isSlowStart,
    });
    this.#isWindowLimited = false;
    this.#isPaced = false;
    for (;;) {
      const lost = this.#sender.hasLost ? this.#sender.nextLost() : undefined;
      const trainBytes = lost ? 0 : this.#nextTrainBytes();
      const payloadBytes = lost?.payloadBytes ?? (trainBytes || this.#sender.nextPayloadBytes);
      if (!lost && payloadBytes === 0) break;
      if (!this.#hasRoomFor(payloadBytes)) break;
      if (!this.#pacer.mayDepart) {
        this.#isPaced = true;
        this.#isWindowLimited = true;
        break;
      }
      this.#mayProbeWindow = false;
      if (trainBytes > 0) {
        this.#transmitTrain(trainBytes);
        continue;
      }
      const packet = lost ?? this.#sender.cutPacket();
      if (!lost) this.#takenBytes += packet.payloadBytes;
      this.#pacer.depart(packet.payloadBytes);
      this.#transmit(packet);
    }
    if (this.#phase !== "ending" || this.#hasFin || this.#sender.hasLost) return;
    this.#hasFin = true;
    this.#transmit(this.#sender.addControl(FIN));
  }

  #nextTrainBytes(): number {
    const windowBytes = Math.min(this.#ledbat.windowBytes, this.#peerWindowBytes);
    return this.#sender.nextTrainBytes({ nowMs: this.#host.clock.nowMs(), windowBytes });
  }

  #hasRoomFor(payloadBytes: number): boolean {
    const bytes = this.#sender.inFlightBytes + payloadBytes;
    if (bytes > this.#peerWindowBytes && !(this.#mayProbeWindow && this.#sender.isIdle)) {
      return payloadBytes === 0;
    }
    // One packet is always allowed, else there would be no ack to wait for; and the packet that the peer waits for,
    // because others behind it that got lost too fill the window until we know.
    const isAlways = this.#sender.isIdle || this.#sender.isOldestLost;
    if (bytes <= this.#ledbat.windowBytes || isAlways) return true;
    this.#isWindowLimited = true;
    return false;
  }

  #transmit(packet: OutPacket): void {
    const nowMs = this.#host.clock.nowMs();
    if (this.#sender.isIdle) this.#timeoutFromMs = nowMs;
    this.#sender.noteSent(packet, nowMs);
    this.#encode(packet.bytes, packet.type, packet.sequence);
    this.#host.send(packet.bytes.subarray(0, packet.datagramBytes), this.remote.endpoint);
    // Every packet acknowledges; only holes need one that says more.
    if (!this.#incoming.order.hasHole) this.#acks.acknowledged();
  }

  #transmitTrain(payloadBytes: number): void {
    const nowMs = this.#host.clock.nowMs();
    if (this.#sender.isIdle) this.#timeoutFromMs = nowMs;
    const bytes = TRAIN.subarray(0, TRAIN_HEAD_BYTES + payloadBytes);
    const packetBytes = this.#mtu.sizeBytes - HEADER_BYTES;
    const first = this.#sender.sendTrain(bytes.subarray(TRAIN_HEAD_BYTES), packetBytes, nowMs);
    this.#takenBytes += payloadBytes;
    this.#pacer.depart(payloadBytes);
    this.#encode(bytes, DATA, first);
    encodeTrain(bytes, packetBytes);
    this.#host.send(bytes, this.remote.endpoint);
    if (!this.#incoming.order.hasHole) this.#acks.acknowledged();
  }

  #sendEmpty(type: typeof STATE | typeof RESET): void {
    const bytes = EMPTY_PACKET;
    this.#encode(bytes, type, this.#sender.nextSequence);
    const sackBytes =
      type === STATE ? this.#incoming.order.writeSelectiveAck(bytes, SACK_OFFSET) : 0;
    const length = encodeSelectiveAck(bytes, sackBytes);
    this.#host.send(bytes.subarray(0, length), this.remote.endpoint);
    this.#acks.acknowledged();
  }

  #encode(bytes: Uint8Array, type: PacketType, sequence: number): void {
    const head = this.#head;
    this.#incoming.toldWindowBytes = this.#incoming.roomBytes;
    head.type = type;
    head.connectionId = type === SYN ? this.receiveId : this.sendId;
    head.timestamp = toMicroseconds(this.#host.clock.nowMs());
    head.timestampDifference = this.#delays.difference;
    head.windowBytes = this.#incoming.toldWindowBytes;
    head.ack = this.#incoming.order.ack;
    head.sequence = sequence;
    encodeHead(bytes, head);
  }

  #handleTimeout(nowMs: number): void {
    this.#timeoutFromMs = nowMs;
    const isClosed = this.#phase === "connected" && this.#isWindowClosed;
    if (isClosed) this.#mayProbeWindow = true;
    // A peer that answers our probes is alive, and may read slowly: that is for the owner to judge.
    const isWaiting = isClosed && this.#heardSinceTimeout;
    this.#heardSinceTimeout = false;
    if (isWaiting) this.#roundTrip.startAgain();
    if (this.#roundTrip.timeouts >= TIMEOUTS_MAX) {
      this.#sendEmpty(RESET);
      this.#close({ code: "ETIMEDOUT", message: "the peer does not answer any more" });
      return;
    }
    this.#roundTrip.timedOut();
    this.#sender.handleTimeout(nowMs);
    // A call that gets no answer says nothing about the line, and no room nothing either.
    if (isClosed || this.#phase === "calling") return;
    this.#ledbat.handleTimeout();
    if (this.#roundTrip.timeouts >= BLACK_HOLE_TIMEOUTS) this.#mtu.handleBlackHole();
  }

  /** Sends no more than what is in packets already, and then the end. */
  #end(): void {
    this.#phase = "ending";
    this.#phaseEndMs = this.#host.clock.nowMs() + ENDING_MS;
    this.#sender.written.clear();
    this.#incoming.clear();
    this.#host.planFlush(this);
  }

  #close(failure: NetFailure | undefined): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#deadlineMs = NONE;
    this.#sender.close();
    this.#incoming.close();
    this.#takenBytes = 0;
    this.#host.drop(this);
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.handleClose(failure);
  }

  #updateDeadline(): void {
    let deadlineMs = Math.min(this.#phaseEndMs, this.#acks.dueMs);
    if (this.#awaitsAck) {
      deadlineMs = Math.min(deadlineMs, this.#timeoutFromMs + this.#roundTrip.timeoutMs);
    }
    if (this.#isPaced) deadlineMs = Math.min(deadlineMs, this.#host.clock.nowMs() + PACE_MS);
    this.#deadlineMs = deadlineMs;
    this.#host.retime(this);
  }
}

/** Trains are built here: each is sent before the next is built. */
const TRAIN = new Uint8Array(TRAIN_BYTES_MAX);
/** Packets without payload are built here: each is sent before the next is built. */
const EMPTY_PACKET = new Uint8Array(SACK_OFFSET + SELECTIVE_ACK_BYTES_MAX);
