import type { Endpoint } from "../base/endpoint.ts";
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

/** Somebody whom an owner wants to reach. */
export interface DialRequest {
  readonly remote: Endpoint;
  /** What our side of the handshake says. */
  readonly owner: ConnectionOwner;
  /** The connection is being opened. @returns What it calls from now on, to its end. */
  readonly adopt: (connection: Connection) => ConnectionSink;
}

/** An infohash that an owner has. */
export interface PeerRoute {
  /**
   * Dials a peer when it is the owner's turn: owners and torrents take turns, and each connection counts for the limits of
   * the session. A peer whose address has as many connections as it may waits until there is room. One that does not shake
   * hands in the time of `connectTimeoutMs` and `handshakeTimeoutMs` is closed.
   *
   * @returns Withdraws the request, if the peer was not dialled yet.
   * @throws {EngineError} `too-many-dials` when 256 wait; `closed` when the route has ended.
   */
  dial(request: DialRequest): () => void;
  /** Takes no more peers and dials nobody any more; peers that the owner has stay. */
  end(): void;
}
