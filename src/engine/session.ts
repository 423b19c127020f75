import { infohashKey, wireInfohashes } from "../base/infohash.ts";
import { banKey, networkKey, type PeerAddress } from "../base/peer-address.ts";
import { makePeerId } from "../base/peer-id.ts";
import type { Timer } from "../ports/clock.ts";
import type { StreamConnection, StreamHandler } from "../ports/net.ts";
import { ConnectionShares } from "./sharing/connection-shares.ts";
import { Crowd, mostCrowded } from "./sharing/crowd.ts";
import { EngineError } from "./engine-error.ts";
import { Connection, type ConnectionGate } from "./connection/connection.ts";
import type { Decorating } from "./connection/decorations.ts";
import type { StreamDecorators } from "./stream-decorator.ts";
import type { PeerOwner, PeerRoute } from "./peer-owner.ts";
import { Route, Routes, type RoutesHost } from "./routes.ts";
import type { ConnectionOwner } from "./connection/connection-sink.ts";
import { Transports } from "./connection/transports.ts";
import { DialHistory } from "./sharing/dial-history.ts";
import { RateLimit } from "./sharing/rate-limit.ts";
import { Scheduler } from "./sharing/scheduler.ts";
import { Bursts } from "./sharing/bursts.ts";
import { OuterAddresses } from "./sharing/outer-addresses.ts";
import type {
  AddTorrent,
  EnginePorts,
  EngineSession,
  EngineSettings,
  EngineTorrent,
  PeerDht,
  SessionLimits,
  SessionOptions,
} from "./session-contract.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { RootLeases } from "./storage/root-leases.ts";
import type { PeerWays } from "./swarm/peer-ways.ts";
import { Reachability } from "./swarm/reachability.ts";
import type { TorrentPeers } from "./torrent/torrent-peers.ts";
import { QuietTicks } from "./torrent/quiet-ticks.ts";
import { Torrent } from "./torrent/torrent.ts";
import { ServerSlots } from "./webseed/server-slots.ts";
import type { TorrentHost } from "./torrent/torrent-host.ts";

/** A torrent, or an owner that is not one, with peers to dial. */
type Dialler = TorrentPeers | Route;

/** Interval of peer maintenance: time-outs, choking, dialling, keep-alives. */
const TICK_MS = 500;
/** The shortest wait for a rate limit to allow more: shorter waits cost more than they smooth. */
const PUMP_MS_MIN = 5;
/** Above this part of all connections they are scarce: torrents with many leave the rest to those with few. */
const CONNECTIONS_SHORT = 1 / 2;
/**
 * This part of all connections is kept free for peers that dial us, because only their handshake tells whether their torrent
 * is below its share.
 */
const CONNECTIONS_SPARE = 1 / 50;
/** Connections that have not sent their infohash yet, in total (WIR-2, WIR-20). */
const STRAYS_MAX = 128;

/**
 * The engine: listens, dials, finds the torrent that a handshake asks for, and shares memory, connections and rate
 * among torrents. Everything it takes from the world comes through `EnginePorts`.
 */
export class Session implements EngineSession, TorrentHost, RoutesHost, ConnectionGate {
  readonly ports: EnginePorts;
  readonly settings: EngineSettings & { connectionsMax: number };
  readonly peerId: Uint8Array;
  readonly scheduler: Scheduler;
  readonly roots = new RootLeases();
  readonly bursts = new Bursts();
  readonly outer = new OuterAddresses();
  readonly dials = new DialHistory();
  readonly reachability: Reachability;
  readonly webServers = new ServerSlots();

  readonly decorators: StreamDecorators;
  readonly dht: PeerDht | undefined;
  readonly #options: SessionOptions;
  readonly #decorating: Decorating;
  readonly #torrents = new Set<Torrent>();
  readonly #byInfohash = new Map<string, Torrent>();
  /** Infohashes whose owner is not a torrent. */
  readonly #routes = new Routes(this);
  /** Accepted connections that have not sent their infohash yet. */
  readonly #strays = new Map<Connection, number>();
  readonly #crowd: Crowd;
  readonly #shares = new ConnectionShares<TorrentPeers>();
  readonly #transports: Transports;
  readonly #upLimit: RateLimit;
  readonly #downLimit: RateLimit;
  /** Dialled connections without an answer so far. */
  readonly #halfOpen = new Set<Connection>();
  /** The position of the torrent that dialled last. */
  #dialTurn = -1;
  #outerPort: number | undefined;
  readonly #ticks = new QuietTicks();
  #tick: Timer | undefined;
  #pump: Timer | undefined;
  #roomTimer: Timer | undefined;
  #dialTimer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { clock } = options.ports;
    this.ports = {
      ...options.ports,
      clock: {
        nowMs: () => clock.nowMs(),
        wallMs: () => clock.wallMs(),
        startTimer: (delayMs, fire) => clock.startTimer(delayMs, () => this.bursts.run(fire)),
      },
    };
    this.settings = { ...DEFAULT_SETTINGS, ...options.settings };
    this.decorators = options.decorators ?? {};
    this.dht = options.dht;
    this.reachability = new Reachability(this.dials, options.opensRouters === true);
    const { handshakeTimeoutMs } = this.settings;
    this.#decorating = { timeoutMs: handshakeTimeoutMs, log: options.ports.log };
    this.#crowd = new Crowd(this.settings);
    this.#transports = new Transports(options.ports.transports, options.ports.clock);
    this.peerId = makePeerId(options.ports.random.bytes(12));
    this.#upLimit = new RateLimit(this.settings.upBytesPerSecond);
    this.#downLimit = new RateLimit(this.settings.downBytesPerSecond);
    this.scheduler = new Scheduler({
      upLimit: this.#upLimit,
      downLimit: this.#downLimit,
      uploadSlots: this.settings.uploadSlots,
      onWaiting: () => this.#schedulePump(),
      onRoom: () => this.handleRoom(),
    });
  }

  get port(): number {
    return this.#transports.port;
  }

  get outerPort(): number {
    return this.#outerPort ?? this.port;
  }

  setOuterPort(port: number | undefined): void {
    this.#outerPort = port;
    this.reachability.isMapped = port !== undefined;
  }

  async listen(options: { host: string; port: number }): Promise<number> {
    return this.#transports.listen({
      ...options,
      accept: (stream) => this.bursts.run(() => this.#accept(stream)),
    });
  }

  add(options: AddTorrent): EngineTorrent {
    if (this.#closing) throw new EngineError("closed", "the session is closing");
    const torrent = new Torrent(this, options);
    const keys = wireInfohashes(torrent.infohashes).map(infohashKey);
    const known = keys.find((key) => this.#byInfohash.has(key) || this.#routes.has(key));
    if (known !== undefined) throw new EngineError("duplicate-torrent", known);
    for (const key of keys) this.#byInfohash.set(key, torrent);
    this.#tellDecorators(torrent, true);
    this.#torrents.add(torrent);
    this.bursts.run(() => {
      torrent.start();
      this.#scheduleTick();
    });
    return torrent;
  }

  find(wireInfohash: Uint8Array): EngineTorrent | undefined {
    return this.#byInfohash.get(infohashKey(wireInfohash));
  }

  route(wireInfohash: Uint8Array, owner: PeerOwner): PeerRoute {
    if (this.#closing) throw new EngineError("closed", "the session is closing");
    const key = infohashKey(wireInfohash);
    if (this.#byInfohash.has(key) || this.#routes.has(key)) {
      throw new EngineError("duplicate-torrent", key);
    }
    return this.#routes.add(wireInfohash, owner);
  }

  torrents(): Iterable<EngineTorrent> {
    return this.#torrents;
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    if (!(torrent instanceof Torrent) || !this.#torrents.has(torrent)) return;
    this.#forget(torrent);
    const closed = this.roots.close(torrent.root);
    await this.bursts.run(() => torrent.stop()).finally(closed);
  }

  setLimits(limits: Partial<SessionLimits>): void {
    if (limits.connectionsMax !== undefined) this.settings.connectionsMax = limits.connectionsMax;
    if (limits.downBytesPerSecond !== undefined) this.#downLimit.setRate(limits.downBytesPerSecond);
    if (limits.upBytesPerSecond !== undefined) this.#upLimit.setRate(limits.upBytesPerSecond);
    this.bursts.run(() => this.#runPump());
  }

  setGroupLimits(
    name: string,
    limits: Pick<SessionLimits, "downBytesPerSecond" | "upBytesPerSecond">,
  ): void {
    this.scheduler.setGroupLimits(name, limits);
    this.bursts.run(() => this.#runPump());
  }

  close(): Promise<void> {
    this.#closing ??= this.bursts.run(() => this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#transports.close();
    this.#tick?.cancel();
    this.#pump?.cancel();
    this.#roomTimer?.cancel();
    this.#dialTimer?.cancel();
    for (const stray of this.#strays.keys()) stray.close("the session ends");
    this.#routes.close();
    const torrents = [...this.#torrents];
    for (const torrent of torrents) this.#forget(torrent);
    await Promise.all(torrents.map((torrent) => torrent.stop()));
  }

  #forget(torrent: Torrent): void {
    this.#torrents.delete(torrent);
    for (const infohash of wireInfohashes(torrent.infohashes)) {
      this.#byInfohash.delete(infohashKey(infohash));
    }
    this.#tellDecorators(torrent, false);
  }

  #tellDecorators({ infohashes }: Torrent, isHere: boolean): void {
    for (const infohash of wireInfohashes(infohashes)) {
      this.decorators.handleInfohash?.(infohash, isHere);
    }
  }

  // ---- Connections -------------------------------------------------------------------------------

  #accept(stream: StreamConnection): StreamHandler | undefined {
    const { remote } = stream;
    const now = this.ports.clock.nowMs();
    this.#options.onCall?.(remote);
    if (this.#closing || !this.#crowd.mayAccept(remote, now)) return undefined;
    if (this.#strays.size >= STRAYS_MAX && !this.#dropStray(remote)) return undefined;
    if (this.#crowd.isFull && !this.#makeRoom(remote)) return undefined;
    const accepted = new Connection({
      clock: this.ports.clock,
      bursts: this.bursts,
      connect: () => stream,
      gate: this,
      decorating: this.#decorating,
      decorator: this.decorators.incoming?.({
        remote,
      }),
    });
    this.#strays.set(accepted, now);
    this.#count(remote, 1);
    this.#scheduleTick();
    return accepted;
  }

  admit(connection: Connection, infohash: Uint8Array): boolean | Promise<boolean> {
    const taken = this.#routes.admit(connection, infohash);
    if (taken !== undefined) return taken;
    const torrent = this.#byInfohash.get(infohashKey(infohash));
    const wake = this.#options.wake;
    if (torrent?.isOpening) return this.#admitLater(connection, torrent);
    if (!torrent && wake) return this.#admitLater(connection, wake(infohash.slice()));
    this.#strays.delete(connection);
    return torrent !== undefined && this.#takeIn(torrent, connection);
  }

  /** The last free connections are given only to torrents that are below their share. */
  #takeIn({ connections }: Torrent, connection: Connection): boolean {
    const now = this.ports.clock.nowMs();
    const isSpare = this.#filled > this.#fillMax;
    const mayFill = this.#shares.mayFill(this.#sharers(), isSpare, now);
    return connections.admit(connection, mayFill(connections));
  }

  claim(connection: Connection): boolean {
    return this.#strays.delete(connection);
  }

  /** The peer waits until its torrent is awake and its files are open, at most as long as a handshake may take. */
  async #admitLater(
    connection: Connection,
    waking: Torrent | Promise<EngineTorrent | undefined>,
  ): Promise<boolean> {
    try {
      const torrent = await waking;
      if (!(torrent instanceof Torrent)) return false;
      await torrent.opened;
      // A connection that has ended meanwhile must not become one of its peers.
      return (
        this.#strays.delete(connection) && this.bursts.run(() => this.#takeIn(torrent, connection))
      );
    } catch (error) {
      this.ports.log.error("a torrent could not be woken", { error: String(error) });
      return false;
    } finally {
      this.#strays.delete(connection);
    }
  }

  handleStray(connection: Connection, reason: string): void {
    this.#strays.delete(connection);
    const { remote, misbehaved } = connection;
    if (misbehaved) this.ports.faults?.count("bad-peer", { address: banKey(remote), why: reason });
    this.#count(remote, -1);
  }

  /** Every connection counts from the moment it is opened or accepted until it has ended. */
  handleDisconnected(connection: Connection): void {
    this.#strays.delete(connection);
    this.#endDial(connection);
    this.#count(connection.remote, -1);
  }

  dial(known: PeerWays, owner: ConnectionOwner, infohash: Uint8Array): Connection | undefined {
    const ways = this.reachability.order(known, this.ports.clock.nowMs());
    const [address] = ways;
    if (!this.#crowd.mayConnect(address)) return undefined;
    if (this.#filled >= this.#fillMax) return undefined;
    if (this.#crowd.isFull && !this.#dropStray(address)) return undefined;
    this.#count(address, 1);
    const dialled = new Connection({
      clock: this.ports.clock,
      bursts: this.bursts,
      connect: (handler) =>
        this.#transports.dial(ways, handler, { timeoutMs: this.settings.connectTimeoutMs }),
      dialled: { owner, infohash },
      decorating: this.#decorating,
      decorator: this.decorators.outgoing?.({ remote: address, infohash }),
    });
    this.#halfOpen.add(dialled);
    this.dials.handleDialled(address);
    return dialled;
  }

  #endDial(connection: Connection): void {
    if (!this.#halfOpen.delete(connection)) return;
    const isAnswered = connection.peerId !== undefined;
    this.dials.handleOutcome(connection.remote, isAnswered, this.ports.clock.nowMs());
  }

  /** Drops the newest stray of a network that has more of them than the newcomer's network. */
  #dropStray(newcomer: PeerAddress): boolean {
    const strays = Array.from(this.#strays.keys(), (peer) => ({
      peer,
      network: networkKey(peer.remote)!,
    }));
    const victim = mostCrowded(strays, networkKey(newcomer)!);
    victim?.close("room is needed for another");
    return victim !== undefined;
  }

  /** Among strays, then in the torrents, starting with the torrents that have most peers. */
  #makeRoom(newcomer: PeerAddress): boolean {
    if (this.#dropStray(newcomer)) return true;
    const torrents = [...this.#torrents].sort((a, b) => b.connections.count - a.connections.count);
    return torrents.some((torrent) => torrent.connections.evictFor(newcomer));
  }

  #count(address: PeerAddress, change: 1 | -1): void {
    this.#crowd.count(address, change, this.ports.clock.nowMs());
  }

  // ---- Sharing memory and rate ---------------------------------------------------------------------

  /** Waiting torrents take their turns when the current event is over. */
  handleRoom(): void {
    if (this.#roomTimer || this.#closing) return;
    this.#roomTimer = this.ports.clock.startTimer(0, () => {
      this.#roomTimer = undefined;
      this.#runPump();
    });
  }

  handleCandidates(): void {
    if (this.#closing) return;
    if (this.#routes.isAnyWaiting) this.handleWanted();
    else this.bursts.run(() => this.#dialRound(this.ports.clock.nowMs()));
    this.#scheduleTick();
  }

  /** Owners adopt what is dialled for them, and an owner is never called inside its own call. */
  handleWanted(): void {
    if (this.#dialTimer || this.#closing) return;
    this.#dialTimer = this.ports.clock.startTimer(0, () => {
      this.#dialTimer = undefined;
      this.#dialRound(this.ports.clock.nowMs());
    });
    this.#scheduleTick();
  }

  #schedulePump(): void {
    if (this.#pump || this.#closing) return;
    const now = this.ports.clock.nowMs();
    let atMs = this.scheduler.nextTurnAtMs(now);
    for (const torrent of this.#torrents) atMs = Math.min(atMs, torrent.nextOwnMs(now));
    // A torrent that waits for memory alone is called when some is returned.
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delay = Math.max(PUMP_MS_MIN, Math.min(atMs - now, TICK_MS));
    this.#pump = this.ports.clock.startTimer(delay, () => {
      this.#pump = undefined;
      this.#runPump();
    });
  }

  /** Everything that waits for a limit takes what the limit allows, in turn. */
  #runPump(): void {
    const now = this.ports.clock.nowMs();
    for (const torrent of this.#torrents) torrent.handleOwnAllowance(now);
    this.scheduler.run(now);
    this.#schedulePump();
  }

  // ---- Time --------------------------------------------------------------------------------------

  #scheduleTick(): void {
    if (this.#tick || this.#closing) return;
    this.#tick = this.ports.clock.startTimer(TICK_MS, () => {
      this.#tick = undefined;
      this.#runTick();
      const isWatched = this.#torrents.size > 0 || this.#strays.size > 0;
      if (isWatched || this.#routes.isWaiting) this.#scheduleTick();
    });
  }

  #runTick(): void {
    const now = this.ports.clock.nowMs();
    this.#crowd.tick(now);
    for (const [stray, sinceMs] of this.#strays) {
      if (now - sinceMs > this.settings.handshakeTimeoutMs) stray.close("no handshake in time");
    }
    this.#ticks.tick(this.#torrents, now);
    this.#routes.tick(now);
    if (this.scheduler.isReceiveStuck(now)) {
      for (const torrent of this.#torrents) if (torrent.spillIdle()) break;
    }
    this.scheduler.retryMemory();
    this.scheduler.run(now);
    this.#takeBack(now);
    this.#dialRound(now);
  }

  /** Connections whose owner is known. */
  get #filled(): number {
    return this.#crowd.open - this.#strays.size;
  }

  /** From this number on, free connections are kept for torrents below their share. */
  get #fillMax(): number {
    const { connectionsMax } = this.settings;
    return connectionsMax - Math.floor(connectionsMax * CONNECTIONS_SPARE);
  }

  *#sharers(): Generator<TorrentPeers> {
    for (const { connections } of this.#torrents) yield connections;
  }

  /** Takes a connection from the torrent with the most, when another torrent is below its share. */
  #takeBack(now: number): void {
    const overflow = this.#filled - this.#fillMax;
    if (overflow < 0) return;
    const take = this.#shares.next([...this.#sharers()], overflow > 0, now);
    if (take?.from.letGoLeastUseful(now)) this.#shares.handleTaken(take, now);
  }

  /**
   * One new connection for each torrent and each owner in turn, until the half-open limit is reached or none wants one.
   * The next round starts after the one that was served last.
   */
  #dialRound(now: number): void {
    for (const connection of this.#halfOpen) {
      if (connection.isOpen) this.#endDial(connection);
    }
    const diallers = [...this.#diallers()];
    const mayDial = this.#dialShares(diallers, now);
    let passed = 0;
    while (passed < diallers.length && this.#halfOpen.size < this.settings.halfOpenMax) {
      this.#dialTurn = (this.#dialTurn + 1) % diallers.length;
      const dialler = diallers[this.#dialTurn]!;
      passed = mayDial(dialler) && dialler.dialNext(now) ? 0 : passed + 1;
    }
  }

  *#diallers(): Generator<Dialler> {
    for (const torrent of this.#torrents) yield torrent.connections;
    yield* this.#routes.all();
  }

  /** While connections are scarce, one that has its share dials only when those with less do not want to. */
  #dialShares(diallers: readonly Dialler[], now: number): (dialler: Dialler) => boolean {
    const { connectionsMax } = this.settings;
    if (this.#crowd.open < connectionsMax * CONNECTIONS_SHORT) return () => true;
    const mayFill = this.#shares.mayFill(this.#sharers(), false, now);
    const wanting = diallers.filter((dialler) => dialler.wantsToDial(now));
    const share = connectionsMax / wanting.length;
    const hasShare = ({ count }: Dialler): boolean => count >= share;
    return (dialler) =>
      (dialler instanceof Route || mayFill(dialler)) &&
      (!hasShare(dialler) || wanting.every(hasShare));
  }
}
