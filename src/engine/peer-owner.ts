import type { PeerAddress } from "../base/peer-address.ts";
import type { Connection } from "./connection/connection.ts";
import type { ConnectionOwner, ConnectionSink } from "./connection/connection-sink.ts";

/** The types that an owner needs; the folders of the engine are private. */
export type { Connection, ConnectionOwner, ConnectionSink };

/**
 * Takes the peers that ask for an infohash without a torrent (`EngineSession.route`). Its sinks decide which numbers a
 * peer may use, how long a peer may be silent, how long its handshake may take, and when it is closed. The session
 * counts the connection until it has ended.
 */
export interface PeerOwner {
  /**
   * A peer that dialled us asks for the infohash. Reading waits for the promise; if the peer leaves meanwhile, the
   * sink is told as for any other end.
   *
   * @returns The sink that the connection calls from now on; `undefined` closes it.
   */
  admit(connection: Connection): ConnectionSink | undefined | Promise<ConnectionSink | undefined>;
}

/** A peer that an owner wants to dial. */
export interface DialRequest {
  readonly remote: PeerAddress;
  /** What our side of the handshake says. */
  readonly owner: ConnectionOwner;
  /**
   * The connection is being opened. Never called inside `dial`.
   *
   * @returns The sink that it calls from now on, until it ends.
   */
  readonly adopt: (connection: Connection) => ConnectionSink;
}

/** An owner's hold on one infohash. */
export interface PeerRoute {
  /**
   * Dials a peer when it is the owner's turn: owners and torrents take turns, and each connection counts towards the
   * session's limits. If the peer's address has as many connections as it may have, the peer waits until there is
   * room. A peer that does not complete its handshake within `connectTimeoutMs` and `handshakeTimeoutMs` is closed.
   *
   * @returns A function that withdraws the request, if the peer was not dialled yet.
   * @throws {EngineError} `too-many-dials` when 256 wait; `unreachable` when no transport of the session reaches the
   *   address; `closed` when the route has ended.
   */
  dial(request: DialRequest): () => void;
  /** Accepts and dials no more peers; the owner keeps the peers it has. */
  end(): void;
}
