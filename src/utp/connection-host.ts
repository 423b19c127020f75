import type { Endpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { PacketPool } from "./out-packet.ts";
import type { ReceivedMemory } from "./received-memory.ts";

/** What connections have in common: their port. */
export interface ConnectionHost<Connection> {
  readonly local: Endpoint;
  readonly clock: Clock;
  readonly pool: PacketPool;
  readonly memory: ReceivedMemory;
  /** @param bytes - Borrowed for the call. */
  send(bytes: Uint8Array, to: Endpoint): void;
  /** The largest datagram that our link to an address takes as one packet; `undefined` when it is an ordinary one. */
  bytesMaxTo(address: string): number | undefined;
  /** Calls `flush` soon: never inside this call. */
  planFlush(connection: Connection): void;
  /** `deadlineMs` changed. */
  retime(connection: Connection): void;
  /** The connection is over. */
  drop(connection: Connection): void;
}

export interface ConnectionStart {
  readonly remote: Endpoint;
  /** In packets to us. */
  readonly receiveId: number;
  /** In packets from us. */
  readonly sendId: number;
  readonly firstSequence: number;
  /** The number of the caller's SYN when we are called; `undefined` when we call. */
  readonly call: number | undefined;
}
