import { type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { DialOptions, NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import type { ConnectionHost } from "./connection-host.ts";
import { Deadlines } from "./deadlines.ts";
import { RECEIVE_WINDOW_BYTES } from "./incoming.ts";
import { PeerQueues } from "./peer-queues.ts";
import { PacketPool } from "./out-packet.ts";
import {
  DATA,
  decodePacket,
  emptyHead,
  encodeHead,
  HEADER_BYTES,
  type HeadFields,
  type PacketHead,
  RESET,
  STATE,
  SYN,
} from "./packet.ts";
import { ReceivedMemory } from "./received-memory.ts";
import { sequenceAfter, toMicroseconds } from "./sequence.ts";
import { StrangerShares } from "./stranger-shares.ts";
import { SynCookies } from "./syn-cookies.ts";
import { UtpConnection } from "./utp-connection.ts";

const CONNECTIONS_MAX = 4096;
/** From one address, so that one machine cannot take all places. */
const CONNECTIONS_MAX_OF_ADDRESS = 256;
/** Ended connections whose late packets do not count as new calls. */
const ENDED_MAX = 1024;
const ENDED_MS = 60_000;
const IDS = 0x1_0000;

export interface UtpOptions {
  readonly local: Endpoint;
  readonly clock: Clock;
  readonly random: Random;
  /** Sends one datagram; `bytes` is borrowed for the call. */
  readonly send: (bytes: Uint8Array, to: Endpoint) => void;
  /** The largest datagram that our link to an address takes as one packet; ordinary ones without this. */
  readonly bytesMaxTo?: ((address: string) => number | undefined) | undefined;
  /** Gives the packets from there a queue of their own in the system; what it returns gives the queue back. */
  readonly openQueue?: ((remote: Endpoint) => (() => void) | undefined) | undefined;
  /** Calls `fire` when the burst of packets that came at once is over; never inside the call. */
  readonly soon: (fire: () => void) => void;
  /** Takes a call; `undefined` refuses it, and without this all calls are refused. */
  readonly accept?: ((connection: StreamConnection) => StreamHandler | undefined) | undefined;
}

/**
 * The uTP of one UDP port (BEP 29): finds the connection of each packet by the address and the id in it. Owns no socket:
 * whoever does hands in the packets that `looksLikeUtp`.
 *
 * A call costs nothing until the caller has shown that our answer reached it: see `SynCookies`.
 */
export class UtpSocket {
  readonly #options: UtpOptions;
  readonly #host: ConnectionHost<UtpConnection>;
  readonly #deadlines: Deadlines;
  readonly #cookies: SynCookies;
  readonly #strangers: StrangerShares;
  readonly #queues: PeerQueues;
  /** By address, and then by port and id. */
  readonly #connections = new Map<string, Map<number, UtpConnection>>();
  #count = 0;
  /** When they ended; the oldest first. */
  readonly #ended = new Map<string, number>();
  #unflushed: UtpConnection[] = [];
  readonly #head: PacketHead = emptyHead();
  readonly #answer: HeadFields = emptyHead();
  readonly #answerBytes = new Uint8Array(HEADER_BYTES);
  #isClosed = false;

  constructor(options: UtpOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock);
    this.#cookies = new SynCookies(options.random);
    this.#queues = new PeerQueues((remote) => options.openQueue?.(remote));
    this.#strangers = new StrangerShares(options.random.below(2 ** 32));
    this.#host = {
      local: options.local,
      clock: options.clock,
      pool: new PacketPool(),
      memory: new ReceivedMemory(),
      send: options.send,
      bytesMaxTo: (address) => options.bytesMaxTo?.(address),
      planFlush: (connection) => this.#planFlush(connection),
      retime: (connection) => this.#deadlines.update(connection),
      drop: (connection) => this.#drop(connection),
    };
  }

  /** How many connections there are, those that are ending included. */
  get count(): number {
    return this.#count;
  }

  /** Starts connecting; the outcome arrives at the handler, never inside the call. */
  dial(to: Endpoint, handler: StreamHandler, options: DialOptions): StreamConnection {
    const receiveId = this.#freeId(to);
    if (receiveId === undefined || this.#isClosed || this.#count >= CONNECTIONS_MAX) {
      const message = "there are too many uTP connections";
      return this.refuse(to, handler, { code: "EMFILE", message });
    }
    const connection = this.#caller(to, receiveId, handler);
    this.#add(connection);
    connection.call(options.timeoutMs);
    return connection;
  }

  /** Does not call; the handler is told why, later. */
  refuse(to: Endpoint, handler: StreamHandler, failure: NetFailure): StreamConnection {
    const connection = this.#caller(to, 0, handler);
    connection.refuse(failure);
    return connection;
  }

  #caller(to: Endpoint, receiveId: number, handler: StreamHandler): UtpConnection {
    const connection = new UtpConnection(this.#host, {
      remote: to,
      receiveId,
      sendId: sequenceAfter(receiveId, 1),
      firstSequence: this.#options.random.below(IDS),
      call: undefined,
    });
    connection.attach(handler);
    return connection;
  }

  /** @param bytes - Borrowed for the call; anything may be in it. */
  handleDatagram(bytes: Uint8Array, from: Endpoint): void {
    const head = this.#head;
    if (this.#isClosed || !decodePacket(bytes, head)) return;
    const connection = this.#find(from, head);
    if (connection) {
      this.#queues.countPacket(connection);
      connection.handlePacket(head, bytes);
      return;
    }
    if (!this.#strangers.take(from.address, this.#options.clock.nowMs())) return;
    switch (head.type) {
      case SYN:
        this.#answerCall(head, from);
        break;
      case DATA:
        this.#accept(head, bytes, from);
        break;
      case RESET:
        break;
      default:
        this.#reset(head, from);
    }
  }

  /** Ends all connections at once; their handlers are not called. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // Each leaves the maps, which allow that while they are walked through.
    for (const ofAddress of this.#connections.values()) {
      for (const connection of ofAddress.values()) connection.abort();
    }
  }

  #find(from: Endpoint, head: PacketHead): UtpConnection | undefined {
    const ofAddress = this.#connections.get(from.address);
    if (!ofAddress) return undefined;
    const id = head.connectionId;
    switch (head.type) {
      case SYN:
        // The caller uses the next id for us.
        return ofAddress.get(keyOf(from.port, sequenceAfter(id, 1)));
      case RESET:
        // It carries the id of the packet that it answers: ours for the peer, or the peer's for us.
        return (
          ofAddress.get(keyOf(from.port, id)) ??
          [-1, 1]
            .map((step) => ofAddress.get(keyOf(from.port, sequenceAfter(id, step))))
            .find((other) => other?.sendId === id)
        );
      default:
        return ofAddress.get(keyOf(from.port, id));
    }
  }

  #answerCall(head: PacketHead, from: Endpoint): void {
    if (!this.#options.accept || !this.#hasPlace(from)) return;
    const call = { id: head.connectionId, sequence: head.sequence };
    const sequence = this.#cookies.answer(from, call, this.#options.clock.nowMs());
    this.#send(STATE, { head, from, sequence, ack: head.sequence });
  }

  /** Data for no connection: the first of a caller whom we answered, or a packet that is much too late. */
  #accept(head: PacketHead, bytes: Uint8Array, from: Endpoint): void {
    const { accept, clock } = this.#options;
    const id = sequenceAfter(head.connectionId, -1);
    const first = { id, sequence: head.sequence, ack: head.ack };
    const call =
      accept && !this.#hasEnded(from, head.connectionId)
        ? this.#cookies.check(from, first, clock.nowMs())
        : undefined;
    if (call === undefined || !accept || !this.#hasPlace(from)) {
      this.#reset(head, from);
      return;
    }
    const connection = new UtpConnection(this.#host, {
      remote: from,
      receiveId: head.connectionId,
      sendId: id,
      firstSequence: sequenceAfter(head.ack, 1),
      call,
    });
    this.#add(connection);
    const handler = accept(connection);
    if (!handler) {
      connection.abort();
      return;
    }
    connection.attach(handler);
    connection.handlePacket(head, bytes);
  }

  #reset(head: PacketHead, from: Endpoint): void {
    const sequence = this.#options.random.below(IDS);
    this.#send(RESET, { head, from, sequence, ack: head.sequence });
  }

  /** Sends a packet of 20 bytes: never more than what it answers. */
  #send(
    type: typeof STATE | typeof RESET,
    to: {
      readonly head: PacketHead;
      readonly from: Endpoint;
      readonly sequence: number;
      readonly ack: number;
    },
  ): void {
    const now = toMicroseconds(this.#options.clock.nowMs());
    const answer = this.#answer;
    answer.type = type;
    answer.connectionId = to.head.connectionId;
    answer.timestamp = now;
    answer.timestampDifference = (now - to.head.timestamp) >>> 0;
    answer.windowBytes = RECEIVE_WINDOW_BYTES;
    answer.sequence = to.sequence;
    answer.ack = to.ack;
    encodeHead(this.#answerBytes, answer);
    this.#options.send(this.#answerBytes, to.from);
  }

  #hasPlace(from: Endpoint): boolean {
    const ofAddress = this.#connections.get(from.address)?.size ?? 0;
    return this.#count < CONNECTIONS_MAX && ofAddress < CONNECTIONS_MAX_OF_ADDRESS;
  }

  #freeId(to: Endpoint): number | undefined {
    const ofAddress = this.#connections.get(to.address);
    if (ofAddress && ofAddress.size >= CONNECTIONS_MAX_OF_ADDRESS) return undefined;
    for (;;) {
      const id = this.#options.random.below(IDS);
      if (!ofAddress?.has(keyOf(to.port, id))) return id;
    }
  }

  #add(connection: UtpConnection): void {
    const { address, port } = connection.remote.endpoint;
    let ofAddress = this.#connections.get(address);
    if (!ofAddress) {
      ofAddress = new Map();
      this.#connections.set(address, ofAddress);
    }
    ofAddress.set(keyOf(port, connection.receiveId), connection);
    this.#count += 1;
  }

  #drop(connection: UtpConnection): void {
    this.#deadlines.remove(connection);
    this.#queues.remove(connection);
    const { endpoint } = connection.remote;
    const ofAddress = this.#connections.get(endpoint.address);
    const key = keyOf(endpoint.port, connection.receiveId);
    if (ofAddress?.get(key) !== connection) return;
    ofAddress.delete(key);
    if (ofAddress.size === 0) this.#connections.delete(endpoint.address);
    this.#count -= 1;
    this.#ended.set(endedKey(endpoint, connection.receiveId), this.#options.clock.nowMs());
    if (this.#ended.size <= ENDED_MAX) return;
    for (const oldest of this.#ended.keys()) {
      this.#ended.delete(oldest);
      break;
    }
  }

  #hasEnded(from: Endpoint, receiveId: number): boolean {
    const key = endedKey(from, receiveId);
    const endedMs = this.#ended.get(key);
    if (endedMs === undefined) return false;
    if (this.#options.clock.nowMs() - endedMs < ENDED_MS) return true;
    this.#ended.delete(key);
    return false;
  }

  #planFlush(connection: UtpConnection): void {
    if (connection.isFlushPlanned) return;
    connection.isFlushPlanned = true;
    this.#unflushed.push(connection);
    if (this.#unflushed.length === 1) this.#options.soon(() => this.#flush());
  }

  #flush(): void {
    const unflushed = this.#unflushed;
    this.#unflushed = [];
    for (const connection of unflushed) {
      connection.isFlushPlanned = false;
      connection.flush();
    }
  }
}

function keyOf(port: number, receiveId: number): number {
  return port * IDS + receiveId;
}

function endedKey(endpoint: Endpoint, receiveId: number): string {
  return `${receiveId} ${formatEndpoint(endpoint)}`;
}
