import { infohashKey } from "../base/infohash.ts";
import { formatPeerAddress } from "../base/peer-address.ts";
import type { Connection } from "./connection/connection.ts";
import type { ConnectionOwner, ConnectionSink } from "./connection/connection-sink.ts";
import { EngineError } from "./engine-error.ts";
import type { DialRequest, PeerOwner, PeerRoute } from "./peer-owner.ts";
import type { EnginePorts, EngineSettings } from "./session-contract.ts";
import type { Bursts } from "./sharing/bursts.ts";
import type { StreamDecorators } from "./stream-decorator.ts";
import { isDialable } from "./swarm/dialable.ts";
import { type PeerWays, waysTo } from "./swarm/peer-ways.ts";

/** The most peers that may wait to be dialled for one owner. */
const WAITING_MAX = 256;

/** What the session does for the routes. */
export interface RoutesHost {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings;
  readonly bursts: Bursts;
  readonly decorators: StreamDecorators;
  /** Opens a connection; `undefined` when a limit forbids it now. */
  dial(ways: PeerWays, owner: ConnectionOwner, infohash: Uint8Array): Connection | undefined;
  /** An accepted connection is no longer a stray. @returns False when it has ended. */
  claim(connection: Connection): boolean;
  /** An owner wants to dial: its turn comes when the current event is over. */
  handleWanted(): void;
  handleDisconnected(connection: Connection): void;
}

/** One infohash without a torrent: its owner's peers, and those that the owner wants to dial. */
export class Route implements PeerRoute {
  readonly infohash: Uint8Array;
  readonly owner: PeerOwner;
  /** The owner's connections. */
  count = 0;
  readonly #routes: Routes;
  readonly #waiting: DialRequest[] = [];
  #isEnded = false;

  constructor(routes: Routes, infohash: Uint8Array, owner: PeerOwner) {
    this.#routes = routes;
    this.infohash = infohash;
    this.owner = owner;
  }

  dial(request: DialRequest): () => void {
    if (this.#isEnded) throw new EngineError("closed", "the route has ended");
    if (this.#waiting.length >= WAITING_MAX) {
      throw new EngineError("too-many-dials", `${WAITING_MAX} peers wait to be dialled`);
    }
    if (!this.#routes.reaches(request.remote)) {
      const name = formatPeerAddress(request.remote);
      throw new EngineError("unreachable", `no transport of the session reaches ${name}`);
    }
    this.#waiting.push(request);
    this.#routes.handleWanted();
    return () => {
      const index = this.#waiting.indexOf(request);
      if (index >= 0) this.#waiting.splice(index, 1);
    };
  }

  end(): void {
    this.#isEnded = true;
    this.#waiting.length = 0;
    this.#routes.remove(this);
  }

  get isAnyWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  wantsToDial(_now: number): boolean {
    return this.isAnyWaiting;
  }

  /** @returns False when no peer waits to be dialled, or limits forbid all of them now. */
  dialNext(_now: number): boolean {
    for (let left = this.#waiting.length; left > 0; left -= 1) {
      const request = this.#waiting.shift()!;
      if (this.#routes.dial(this, request)) return true;
      this.#waiting.push(request);
    }
    return false;
  }
}

/** The peers of owners that are not torrents. */
export class Routes {
  readonly #host: RoutesHost;
  readonly #routes = new Map<string, Route>();
  /** The owners' connections, including those of ended routes. */
  readonly #connections = new Set<Connection>();
  /** Those of them that were dialled and have not completed their handshake, and when they were dialled. */
  readonly #opening = new Map<Connection, number>();

  constructor(host: RoutesHost) {
    this.#host = host;
  }

  has(key: string): boolean {
    return this.#routes.has(key);
  }

  all(): Iterable<Route> {
    return this.#routes.values();
  }

  /** Whether they need the session's tick. */
  get isWaiting(): boolean {
    return this.#opening.size > 0 || this.isAnyWaiting;
  }

  /** Whether an owner wants to dial. */
  get isAnyWaiting(): boolean {
    for (const route of this.#routes.values()) if (route.isAnyWaiting) return true;
    return false;
  }

  reaches(remote: DialRequest["remote"]): boolean {
    return isDialable(remote) && this.#waysTo(remote) !== undefined;
  }

  add(infohash: Uint8Array, owner: PeerOwner): PeerRoute {
    const route = new Route(this, infohash.slice(), owner);
    this.#routes.set(infohashKey(infohash), route);
    this.#host.decorators.handleInfohash?.(route.infohash, true);
    return route;
  }

  remove(route: Route): void {
    const key = infohashKey(route.infohash);
    if (this.#routes.get(key) !== route) return;
    this.#routes.delete(key);
    this.#host.decorators.handleInfohash?.(route.infohash, false);
  }

  /** @returns Whether the connection was taken, or a promise of it; `undefined` when the infohash has no owner here. */
  admit(connection: Connection, infohash: Uint8Array): boolean | Promise<boolean> | undefined {
    const route = this.#routes.get(infohashKey(infohash));
    if (!route) return undefined;
    const sink = route.owner.admit(connection);
    return sink instanceof Promise
      ? this.#admitLater(route, connection, sink)
      : this.#admit(route, connection, sink);
  }

  async #admitLater(
    route: Route,
    connection: Connection,
    waited: Promise<ConnectionSink | undefined>,
  ): Promise<boolean> {
    try {
      const sink = await waited;
      return this.#host.bursts.run(() => this.#admit(route, connection, sink));
    } catch (error) {
      this.#host.ports.log.error("an owner could not take a peer", { error: String(error) });
      return false;
    }
  }

  #admit(route: Route, connection: Connection, sink: ConnectionSink | undefined): boolean {
    if (!sink) return false;
    if (!this.#host.claim(connection)) {
      sink.handleClosed("the peer left while it waited", false);
      return false;
    }
    this.#adopt(route, connection, sink);
    return true;
  }

  /** @returns False when a limit forbids it now. */
  dial(route: Route, { remote, owner, adopt }: DialRequest): boolean {
    const ways = this.#waysTo(remote);
    const connection = ways && this.#host.dial(ways, owner, route.infohash);
    if (!connection) return false;
    this.#opening.set(connection, this.#host.ports.clock.nowMs());
    this.#adopt(route, connection, adopt(connection));
    return true;
  }

  #waysTo(remote: DialRequest["remote"]): PeerWays | undefined {
    return waysTo(remote, new Set(this.#host.ports.transports.map(({ kind }) => kind)));
  }

  #adopt(route: Route, connection: Connection, sink: ConnectionSink): void {
    route.count += 1;
    this.#connections.add(connection);
    connection.adopt(sink);
    connection.watchEnd(() => {
      route.count -= 1;
      this.#connections.delete(connection);
      this.#opening.delete(connection);
      this.#host.handleDisconnected(connection);
    });
  }

  /** A peer waits to be dialled. */
  handleWanted(): void {
    this.#host.handleWanted();
  }

  /** Closes peers that do not complete their handshake: they hold places that others need. */
  tick(now: number): void {
    const { connectTimeoutMs, handshakeTimeoutMs } = this.#host.settings;
    for (const [connection, sinceMs] of this.#opening) {
      if (connection.isOpen) this.#opening.delete(connection);
      else if (now - sinceMs > connectTimeoutMs + handshakeTimeoutMs)
        connection.close("no handshake in time");
    }
  }

  /** The session ends. */
  close(): void {
    for (const connection of this.#connections) connection.close("the session ends");
    for (const route of this.#routes.values()) route.end();
  }
}
