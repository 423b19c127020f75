import type { Connection } from "./connection/connection.ts";
import type { ConnectionOwner, ConnectionSink } from "./connection/connection-sink.ts";

/** What an owner has to do with; the folders of the engine are its own. */
export type { Connection, ConnectionOwner, ConnectionSink };

/**
 * Takes the peers that ask for an infohash that is no torrent's (`EngineSession.route`). What its sinks decide is its own:
 * which numbers a peer may name, how long a peer may be silent or its handshake may take, and when it is closed. The
 * session counts the connection until it has ended.
 */
export interface PeerOwner {
  /**
   * A peer that dialled us asks for it. Reading waits for a promise; a peer that has left meanwhile is told to the sink
   * like any other that ends.
   *
   * @returns What the connection calls from now on; `undefined` closes it.
   */
  admit(connection: Connection): ConnectionSink | undefined | Promise<ConnectionSink | undefined>;
}
