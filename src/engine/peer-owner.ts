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
