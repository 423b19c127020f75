import { REACH, reachOf } from "../base/address-reach.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, DatagramSocket, HttpCalls } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import { ANNOUNCEMENT_PORT } from "./natpmp.ts";
import type { InnerPorts, NetworkPlace } from "./mapper-state.ts";
import { PortMapper } from "./port-mapper.ts";
import type { RouterRequest } from "./router-client.ts";
import { noNetwork, type RouterStatus, routerStatus, routerUnneeded } from "./router-status.ts";

/** Giving mappings back may take this long; a router that is slower keeps them until they end. */
const GOODBYE_MS = 2_000;
/** All machines of a network: routers announce there what has changed. */
const EVERYBODY = "224.0.0.1";
/** A machine moves from network to network. */
const LOOK_AT_PLACES_MS = 60_000;

/** Where this machine is, in each family. */
export interface NetworkPlaces {
  readonly ipv4: NetworkPlace | undefined;
  /** With an address that the world reaches, if its router lets it. */
  readonly ipv6: NetworkPlace | undefined;
}

export interface RouterServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly datagrams: DatagramNet;
  /** Follows no redirect, and goes to literal addresses only. */
  readonly calls: HttpCalls;
  readonly log: Log;
  /** Looked at again and again. */
  readonly places: () => NetworkPlaces;
  /** Whether an address is in our own network. */
  readonly isNear: (address: string) => boolean;
  readonly ports: () => InnerPorts;
  /** Where routers are searched for; for tests. */
  readonly searchPlace?: Endpoint | undefined;
  /** Is told whenever the status has other words. */
  readonly onChanged?:
    | ((status: RouterStatuses, outer: OuterPlace | undefined) => void)
    | undefined;
}

/** The status of both families. `ipv6` is null where there is no address that the world could reach. */
export interface RouterStatuses extends RouterStatus {
  readonly ipv6: RouterStatus | null;
}

/** The place outside at which the world reaches our peer port. */
export interface OuterPlace {
  /** `undefined` when the router does not tell it. */
  readonly address: string | undefined;
  readonly port: number;
}

/** One mapper with its sockets. */
interface Run {
  readonly place: NetworkPlace;
  readonly mapper: PortMapper;
  readonly sockets: DatagramSocket[];
  readonly calls: AbortController;
  router: DatagramSocket | undefined;
  search: DatagramSocket | undefined;
  timer: Timer | undefined;
  /** Is called when everything is given back. */
  whenStopped: (() => void) | undefined;
}

/** Keeps the ports of this machine mapped, in whichever network it is. */
export class RouterService {
  readonly #options: RouterServiceOptions;
  readonly #runs: { 4: Run | undefined; 6: Run | undefined } = { 4: undefined, 6: undefined };
  /** Is known to be public. */
  #publicAddress: string | undefined;
  #told = "";
  #timer: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: RouterServiceOptions) {
    this.#options = options;
    this.#lookAtPlaces();
  }

  status(): RouterStatuses {
    const run = this.#runs[4];
    const ipv4 = run
      ? this.#statusOf(run)
      : this.#publicAddress === undefined
        ? noNetwork()
        : routerUnneeded(this.#publicAddress);
    return { ...ipv4, ipv6: this.#runs[6] ? this.#statusOf(this.#runs[6]) : null };
  }

  /** @returns `undefined` unless a router passes TCP on. */
  outer(): OuterPlace | undefined {
    const state = this.#runs[4]?.mapper.state(this.#options.clock.nowMs());
    const tcp = state?.mappings.find(({ transport }) => transport === "tcp");
    if (!state || !tcp) return undefined;
    const address = state.outerAddress === "" ? undefined : state.outerAddress;
    return { address, port: tcp.outerPort };
  }

  /** Gives everything back; takes two seconds at most. */
  close(): Promise<void> {
    this.#timer?.cancel();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const runs = [this.#runs[4], this.#runs[6]].filter((run) => run !== undefined);
    await Promise.all(runs.map((run) => this.#end(run)));
  }

  #statusOf({ mapper, place }: Run): RouterStatus {
    const nowMs = this.#options.clock.nowMs();
    return routerStatus(mapper.state(nowMs), { place, ports: this.#options.ports(), nowMs });
  }

  // ---- Networks ----------------------------------------------------------------------------------

  #lookAtPlaces(): void {
    const { places, clock } = this.#options;
    const { ipv4, ipv6 } = places();
    const isPublic = ipv4 !== undefined && reachOf(ipv4.address) === REACH.world;
    this.#publicAddress = isPublic ? ipv4.address : undefined;
    this.#moveTo(4, isPublic ? undefined : ipv4);
    this.#moveTo(6, ipv6);
    this.#timer = clock.startTimer(LOOK_AT_PLACES_MS, () => this.#lookAtPlaces());
  }

  #moveTo(family: 4 | 6, place: NetworkPlace | undefined): void {
    const before = this.#runs[family];
    if (before?.place.address === place?.address && before?.place.gateway === place?.gateway)
      return;
    // The old router is probably out of reach: nobody waits for it.
    if (before) void this.#end(before);
    this.#runs[family] = place && this.#begin(place);
  }

  #begin(place: NetworkPlace): Run {
    const { random, ports, isNear, searchPlace } = this.#options;
    const run: Run = {
      place,
      mapper: new PortMapper({ random, ports, isNear, searchPlace, place }),
      sockets: [],
      calls: new AbortController(),
      router: undefined,
      search: undefined,
      timer: undefined,
      whenStopped: undefined,
    };
    void this.#open(run);
    return run;
  }

  async #open(run: Run): Promise<void> {
    const { clock, log } = this.#options;
    const { mapper, place } = run;
    const host = place.address;
    const bind = async (
      receive: (bytes: Uint8Array, from: Endpoint) => void,
      at: { readonly host: string; readonly port: number; readonly isShared?: true },
    ): Promise<DatagramSocket | undefined> => {
      try {
        const socket = await this.#options.datagrams.bind({
          ...at,
          receive: (bytes, from) => {
            receive(bytes, from);
            this.#flush(run);
          },
        });
        if (run.calls.signal.aborted) socket.close();
        else run.sockets.push(socket);
        return socket;
      } catch (error) {
        // Without the first two there is no mapping, which the status tells; without the third we notice later.
        log.debug("a socket for the router cannot be opened", { cause: String(error) });
        return undefined;
      }
    };
    run.router = await bind((bytes, from) => mapper.handlePacket(bytes, from, clock.nowMs()), {
      host,
      port: 0,
    });
    run.search = await bind(
      (bytes, from) => mapper.handleSearchAnswer(bytes, from, clock.nowMs()),
      { host, port: 0 },
    );
    if (!host.includes(":")) {
      await bind((bytes, from) => mapper.handleAnnouncement(bytes, from, clock.nowMs()), {
        host: EVERYBODY,
        port: ANNOUNCEMENT_PORT,
        isShared: true,
      });
    }
    if (run.calls.signal.aborted || run.whenStopped) return;
    mapper.start(clock.nowMs());
    this.#flush(run);
  }

  /** Gives the mappings back and closes the sockets. */
  async #end(run: Run): Promise<void> {
    const { clock } = this.#options;
    const ended = Promise.withResolvers<void>();
    run.whenStopped = ended.resolve;
    const deadline = clock.startTimer(GOODBYE_MS, ended.resolve);
    run.mapper.stop(clock.nowMs());
    this.#flush(run);
    await ended.promise;
    deadline.cancel();
    run.timer?.cancel();
    run.calls.abort();
    for (const socket of run.sockets) socket.close();
  }

  // ---- Carrying out ------------------------------------------------------------------------------

  /** Sends what the mapper wants to be sent, and waits for its next moment. */
  #flush(run: Run): void {
    const { clock } = this.#options;
    const { mapper } = run;
    const { router, search } = mapper.takeDatagrams();
    for (const { packet, to } of router) run.router?.send(packet, to);
    for (const { packet, to } of search) run.search?.send(packet, to);
    for (const request of mapper.takeRequests()) void this.#request(run, request);
    run.timer?.cancel();
    const atMs = mapper.nextTimeout();
    if (atMs !== undefined && !run.calls.signal.aborted) {
      run.timer = clock.startTimer(Math.max(atMs - clock.nowMs(), 0), () => {
        mapper.handleTimeout(clock.nowMs());
        this.#flush(run);
      });
    }
    if (mapper.isStopped) run.whenStopped?.();
    this.#tell();
  }

  async #request(run: Run, request: RouterRequest): Promise<void> {
    const { calls, clock, log } = this.#options;
    const { signal } = run.calls;
    try {
      const { status, body } = await calls.send({ ...request, signal });
      run.mapper.handleAnswer(request.id, { status, body }, clock.nowMs());
    } catch (error) {
      log.debug("the router does not answer", { cause: String(error) });
      run.mapper.handleAnswer(request.id, undefined, clock.nowMs());
    }
    this.#flush(run);
  }

  /** Logs what people would want to know, once. */
  #tell(): void {
    const { log, onChanged } = this.#options;
    const status = this.status();
    const { state, words } = status;
    if (words === this.#told) return;
    this.#told = words;
    onChanged?.(status, this.outer());
    if (state !== "waits" && !this.#closing) log.info(words);
  }
}
