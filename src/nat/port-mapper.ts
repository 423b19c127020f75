import type { Endpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import type { InnerPorts, MapperState, NetworkPlace, RouterRefusal } from "./mapper-state.ts";
import { type Held, spanOf } from "./held-mapping.ts";
import { ANNOUNCEMENT_PORT, MAPPING_PORT } from "./natpmp.ts";
import { NatPmpClient } from "./natpmp-client.ts";
import { PcpClient } from "./pcp-client.ts";
import { PinholeClient } from "./pinhole-client.ts";
import type {
  RouterAnswer,
  RouterClient,
  RouterDatagram,
  RouterNews,
  RouterRequest,
  UpnpRouterClient,
} from "./router-client.ts";
import type { MappedTransport } from "./transport-name.ts";
import { UpnpClient } from "./upnp-client.ts";

/** PCP has this long for itself: a router that speaks it mostly speaks NAT-PMP too. */
const PCP_HEAD_START_MS = 1_000;
/** Afterwards people are told that no router answers; it is looked for all the same. */
const SEARCH_SHOWN_MS = 10_000;
/** Between two searches, when no router maps anything. */
const RETRY_MS = 10 * 60_000;
/** A router that fell silent mostly restarts, which takes a minute or two. */
const RETRY_LOST_MS = 30_000;
/** Between two looks at the router's address and our mappings. */
const LOOK_MS = 5 * 60_000;
/** Other numbers that are tried when ours is taken. */
const NUMBERS_MAX = 6;
/** All machines of a network notice a restart at the same moment: each waits for a part of this time. */
const RESTART_SPREAD_MS = 2_000;
/** Announcements are easily made up: restarts count once in this time (WIR-26). */
const RESTART_MS_MIN = 10_000;
/** Numbers for a port that is not ours: those that belong to nothing well known. */
const FIRST_NUMBER = 20_000;
const NUMBERS = 40_000;

export interface PortMapperOptions {
  readonly random: Random;
  readonly place: NetworkPlace;
  /** Asked whenever one is mapped. */
  readonly ports: () => InnerPorts;
  /** Whether an address is in our own network. */
  readonly isNear: (address: string) => boolean;
  readonly searchPlace?: Endpoint | undefined;
}

type Phase =
  | { readonly kind: "idle" }
  /** @property lost - The router that was used before. */
  | { readonly kind: "searching"; readonly sinceMs: number; readonly lost: string | undefined }
  | { readonly kind: "mapping" | "mapped"; readonly client: RouterClient }
  | { readonly kind: "waiting"; readonly untilMs: number; readonly lost: string | undefined }
  | { readonly kind: "stopping"; readonly client: RouterClient | undefined };

/**
 * Has a router pass our ports on. It looks for routers by all protocols at once, and maps by the first that answers;
 * when that one refuses, by the next. So there is never more than one mapping of a port, and nothing to give back but
 * what was used.
 *
 * idle -> searching -> mapping -> mapped; a refusal by all, or silence, leads to waiting and from there to searching
 * again; a router that falls silent from mapped to searching. Each of them -> stopping.
 */
export class PortMapper {
  readonly #options: PortMapperOptions;
  readonly #pcp: PcpClient | undefined;
  readonly #natPmp: NatPmpClient | undefined;
  readonly #upnp: UpnpRouterClient;
  readonly #clients: readonly RouterClient[];
  #phase: Phase = { kind: "idle" };
  /** Clients that found a router, in that order, and were not needed. */
  #spare: RouterClient[] = [];
  /** Clients from which nothing is to be expected in this search. */
  readonly #over = new Set<RouterClient>();
  #natPmpAtMs: number | undefined;
  readonly #held = new Map<MappedTransport, Held>();
  /** The number outside that is tried now. */
  #number = 0;
  #numbersTried = 0;
  /** Transports that this router does not map; TCP alone is better than nothing. */
  readonly #without = new Set<MappedTransport>();
  #lookAtMs: number | undefined;
  #remapAtMs: number | undefined;
  #remappedAtMs = Number.NEGATIVE_INFINITY;
  #outerAddress: string | undefined;
  #refusal: RouterRefusal | undefined;

  constructor(options: PortMapperOptions) {
    this.#options = options;
    const { place, random, isNear, searchPlace } = options;
    const { address: innerAddress, gateway } = place;
    // NAT-PMP knows IPv4 only, and UPnP has another service for IPv6.
    const isIpv4 = !innerAddress.includes(":");
    this.#pcp =
      gateway === undefined ? undefined : new PcpClient({ gateway, innerAddress, random });
    this.#natPmp = isIpv4 && gateway !== undefined ? new NatPmpClient(gateway) : undefined;
    const search = { gateway, innerAddress, isNear, searchPlace };
    this.#upnp = isIpv4 ? new UpnpClient(search) : new PinholeClient(search);
    this.#clients = [this.#pcp, this.#natPmp, this.#upnp].filter((each) => each !== undefined);
  }

  start(now: number): void {
    this.#search(now, undefined);
    this.#settle(now);
  }

  /** Gives the mappings back. It is done when `isStopped`; the caller waits no longer than it likes. */
  stop(now: number): void {
    if (this.#phase.kind === "stopping") return;
    const client = "client" in this.#phase ? this.#phase.client : undefined;
    this.#phase = { kind: "stopping", client };
    for (const each of this.#clients) if (each !== client) each.stop(now);
    for (const transport of this.#transports()) client?.remove(transport, now);
    this.#held.clear();
    this.#lookAtMs = undefined;
    this.#remapAtMs = undefined;
    this.#settle(now);
  }

  get isStopped(): boolean {
    return this.#phase.kind === "stopping" && this.#clients.every(({ isIdle }) => isIdle);
  }

  /** A datagram came to the socket from which the router was asked. Nobody but the router is listened to. */
  handlePacket(bytes: Uint8Array, from: Endpoint, now: number): void {
    if (from.port !== MAPPING_PORT || !this.#isGateway(from.address)) return;
    this.#toClients(bytes, now, (natPmp) => natPmp.handlePacket(bytes, now));
  }

  /** A datagram came to the port for announcements. */
  handleAnnouncement(bytes: Uint8Array, from: Endpoint, now: number): void {
    const isPort = from.port === MAPPING_PORT || from.port === ANNOUNCEMENT_PORT;
    if (!isPort || !this.#isGateway(from.address)) return;
    this.#toClients(bytes, now, (natPmp) => natPmp.handleAnnouncement(bytes, now));
  }

  /** A datagram came to the socket of the search. */
  handleSearchAnswer(bytes: Uint8Array, from: Endpoint, now: number): void {
    this.#upnp.handlePacket(bytes, from);
    this.#settle(now);
  }

  /** @param id - Of the request. */
  handleAnswer(id: number, answer: RouterAnswer, now: number): void {
    this.#upnp.handleAnswer(id, answer);
    this.#settle(now);
  }

  nextTimeout(): number | undefined {
    const own = this.#phase.kind === "waiting" ? this.#phase.untilMs : undefined;
    const isMapped = this.#phase.kind === "mapped";
    const renewals = [...this.#held.values()].map(({ renewAtMs, forgetAtMs }) =>
      isMapped ? renewAtMs : forgetAtMs,
    );
    const clients = this.#clients.map((client) => client.nextTimeout());
    const all = [own, this.#natPmpAtMs, this.#lookAtMs, this.#remapAtMs, ...renewals, ...clients];
    const known = all.filter((each) => each !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  }

  handleTimeout(now: number): void {
    if (isDue(this.#natPmpAtMs, now)) this.#findNatPmp(now);
    if (this.#phase.kind === "waiting" && now >= this.#phase.untilMs) {
      this.#search(now, this.#phase.lost);
    }
    for (const client of this.#clients) client.handleTimeout(now);
    this.#settle(now);
    if (this.#phase.kind !== "mapped") {
      this.#forgetEnded(now);
      return;
    }
    const { client } = this.#phase;
    if (isDue(this.#remapAtMs, now)) {
      this.#begin(client, now);
      client.look(now);
    } else this.#renew(client, now);
    this.#settle(now);
  }

  takeDatagrams(): { readonly router: RouterDatagram[]; readonly search: RouterDatagram[] } {
    const router = [this.#pcp, this.#natPmp].flatMap((client) => client?.takeDatagrams() ?? []);
    return { router, search: this.#upnp.takeDatagrams() };
  }

  takeRequests(): RouterRequest[] {
    return this.#upnp.takeRequests();
  }

  state(now: number): MapperState {
    const phase = this.#phase;
    const client = "client" in phase ? phase.client : undefined;
    return {
      kind: this.#kind(now),
      protocol: client?.protocol,
      router: client?.router ?? ("lost" in phase ? phase.lost : undefined),
      outerAddress: this.#outerAddress,
      mappings: [...this.#held.values()],
      refusal: this.#refusal,
    };
  }

  #kind(now: number): MapperState["kind"] {
    const phase = this.#phase;
    switch (phase.kind) {
      case "stopping":
        return "stopped";
      case "mapping":
      case "mapped":
        return phase.kind;
      case "idle":
        return "searching";
      default: {
        if (phase.lost !== undefined) return "lost";
        if (this.#refusal) return "refused";
        const isNew = phase.kind === "searching" && now - phase.sinceMs < SEARCH_SHOWN_MS;
        return isNew ? "searching" : "none";
      }
    }
  }

  // ---- Searching ---------------------------------------------------------------------------------

  #search(now: number, lost: string | undefined): void {
    this.#phase = { kind: "searching", sinceMs: now, lost };
    this.#spare = [];
    this.#over.clear();
    this.#lookAtMs = undefined;
    this.#remapAtMs = undefined;
    for (const client of this.#clients) client.stop(now);
    this.#pcp?.find(now);
    this.#upnp.find(now);
    if (this.#natPmp) this.#natPmpAtMs = now + PCP_HEAD_START_MS;
  }

  #findNatPmp(now: number): void {
    if (this.#natPmpAtMs === undefined) return;
    this.#natPmpAtMs = undefined;
    this.#natPmp?.find(now);
  }

  /** Carries out what the clients tell, until they tell nothing more. */
  #settle(now: number): void {
    for (let isNew = true; isNew;) {
      isNew = false;
      for (const client of this.#clients) {
        for (const news of client.takeNews()) {
          isNew = true;
          this.#handle(client, news, now);
        }
      }
    }
  }

  #handle(client: RouterClient, news: RouterNews, now: number): void {
    const isUsed = "client" in this.#phase && this.#phase.client === client;
    switch (news.kind) {
      case "older":
        this.#findNatPmp(now);
        break;
      case "found":
        this.#handleFound(client, now);
        break;
      case "silent":
        this.#handleSilent(client, now);
        break;
      case "outer":
        if (isUsed) this.#handleOuter(news.address, now);
        else if (this.#phase.kind === "searching") this.#outerAddress = news.address;
        break;
      case "mapped":
        if (isUsed && this.#phase.kind !== "stopping") this.#handleMapped(client, news, now);
        break;
      case "refused":
        if (isUsed && this.#phase.kind !== "stopping") this.#handleRefused(client, news, now);
        break;
      case "lost":
        if (isUsed) this.#handleLost(now);
        break;
    }
  }

  #handleFound(client: RouterClient, now: number): void {
    if (this.#phase.kind === "searching") this.#begin(client, now);
    else if (this.#phase.kind === "mapping") this.#spare.push(client);
  }

  #handleSilent(client: RouterClient, now: number): void {
    this.#over.add(client);
    if ("client" in this.#phase && this.#phase.kind !== "stopping") {
      if (this.#phase.client !== client) return;
      // It has answered before, so it is probably restarting. What it mapped may still hold.
      if (this.#phase.kind === "mapped") {
        this.#search(now, client.router);
        return;
      }
      client.stop(now);
      this.#takeSpare(now);
      return;
    }
    this.#waitWhenOver(now);
  }

  /** The next one that found a router; when there is none, the search goes on with those that are left. */
  #takeSpare(now: number): void {
    const next = this.#spare.shift();
    if (next) {
      this.#begin(next, now);
      next.look(now);
      return;
    }
    this.#phase = { kind: "searching", sinceMs: Number.NEGATIVE_INFINITY, lost: undefined };
    this.#waitWhenOver(now);
  }

  #waitWhenOver(now: number): void {
    if (this.#phase.kind !== "searching" || this.#natPmpAtMs !== undefined) return;
    if (this.#clients.some((client) => !this.#over.has(client))) return;
    const lost = this.#held.size > 0 ? this.#phase.lost : undefined;
    const untilMs = now + (lost === undefined ? RETRY_MS : RETRY_LOST_MS);
    this.#phase = { kind: "waiting", untilMs, lost };
  }

  // ---- Mapping -----------------------------------------------------------------------------------

  /** Maps all ports by one client, beginning with the number that was used last. */
  #begin(client: RouterClient, now: number): void {
    const before = this.#held.get("tcp")?.outerPort;
    this.#phase = { kind: "mapping", client };
    this.#held.clear();
    this.#without.clear();
    this.#lookAtMs = undefined;
    this.#remapAtMs = undefined;
    this.#remappedAtMs = now;
    this.#number = before ?? this.#options.ports().tcp;
    this.#numbersTried = 0;
    this.#mapNext(client, now);
  }

  #mapNext(client: RouterClient, now: number): void {
    const transport = this.#transports().find(
      (each) => !this.#held.has(each) && !this.#without.has(each),
    );
    if (transport !== undefined) {
      this.#map(client, { transport, outerPort: this.#number }, now);
      return;
    }
    if (this.#phase.kind === "mapping") {
      // Nobody else is needed.
      for (const each of this.#clients) if (each !== client) each.stop(now);
      this.#natPmpAtMs = undefined;
      this.#refusal = undefined;
      this.#lookAtMs = now + LOOK_MS;
    }
    this.#phase = { kind: "mapped", client };
  }

  #map(
    client: RouterClient,
    { transport, outerPort }: { readonly transport: MappedTransport; readonly outerPort: number },
    now: number,
  ): void {
    client.map({ transport, innerPort: this.#innerPort(transport), outerPort }, now);
  }

  #handleMapped(
    client: RouterClient,
    news: Extract<RouterNews, { kind: "mapped" }>,
    now: number,
  ): void {
    const { transport, outerPort } = news;
    const innerPort = this.#innerPort(transport);
    this.#held.set(transport, { transport, innerPort, outerPort, ...spanOf(news, now) });
    const other = this.#held.get(transport === "tcp" ? "udp" : "tcp");
    if (other && other.outerPort !== outerPort && this.#numbersTried < NUMBERS_MAX) {
      // Peers expect one number for both: the other one follows.
      this.#numbersTried += 1;
      this.#number = outerPort;
      this.#release(client, other.transport, now);
      this.#phase = { kind: "mapping", client };
    } else if (!other) this.#number = outerPort;
    this.#mapNext(client, now);
  }

  #handleRefused(
    client: RouterClient,
    { transport, cause, words }: Extract<RouterNews, { kind: "refused" }>,
    now: number,
  ): void {
    const wasHeld = this.#held.delete(transport);
    this.#refusal = { protocol: client.protocol, router: client.router, cause, words };
    if (cause === "port-taken" && this.#numbersTried < NUMBERS_MAX) {
      for (const { transport: other } of this.#held.values()) this.#release(client, other, now);
      this.#numbersTried += 1;
      this.#number = FIRST_NUMBER + this.#options.random.below(NUMBERS);
      this.#phase = { kind: "mapping", client };
      this.#mapNext(client, now);
    } else if (this.#held.size > 0) {
      this.#without.add(transport);
      this.#mapNext(client, now);
    } else if (wasHeld) {
      // It granted the mapping before: perhaps by another way it still does.
      this.#search(now, undefined);
    } else {
      this.#over.add(client);
      client.stop(now);
      this.#takeSpare(now);
    }
  }

  #release(client: RouterClient, transport: MappedTransport, now: number): void {
    this.#held.delete(transport);
    client.remove(transport, now);
  }

  // ---- Keeping -----------------------------------------------------------------------------------

  #renew(client: RouterClient, now: number): void {
    for (const held of this.#held.values()) {
      if (now < held.renewAtMs) continue;
      // The answer sets the time anew. If none comes, the client tells that its router is silent.
      this.#held.set(held.transport, { ...held, renewAtMs: now + LOOK_MS });
      this.#map(client, held, now);
    }
    if (!isDue(this.#lookAtMs, now)) return;
    this.#lookAtMs = now + LOOK_MS;
    client.look(now);
  }

  #handleOuter(address: string, now: number): void {
    const before = this.#outerAddress;
    this.#outerAddress = address;
    if (this.#phase.kind !== "mapped" || before === undefined || before === address) return;
    this.#remapSoon(now);
  }

  #handleLost(now: number): void {
    if (this.#phase.kind === "mapped") this.#remapSoon(now);
  }

  #remapSoon(now: number): void {
    const spreadMs = this.#options.random.below(RESTART_SPREAD_MS);
    this.#remapAtMs ??= Math.max(now + spreadMs, this.#remappedAtMs + RESTART_MS_MIN);
  }

  /** Mappings of a router that was lost hold until they end. */
  #forgetEnded(now: number): void {
    for (const { transport, forgetAtMs } of this.#held.values()) {
      if (now >= forgetAtMs) this.#held.delete(transport);
    }
  }

  #transports(): MappedTransport[] {
    return this.#options.ports().udp === undefined ? ["tcp"] : ["tcp", "udp"];
  }

  #innerPort(transport: MappedTransport): number {
    const { tcp, udp } = this.#options.ports();
    return transport === "udp" ? (udp ?? tcp) : tcp;
  }

  #isGateway(address: string): boolean {
    return address.replace(/%.*$/, "") === this.#options.place.gateway?.replace(/%.*$/, "");
  }

  /** Version 0 is NAT-PMP, also as the answer to a request of PCP. */
  #toClients(bytes: Uint8Array, now: number, toNatPmp: (client: NatPmpClient) => void): void {
    this.#pcp?.handlePacket(bytes, now);
    if (bytes[0] === 0 && this.#natPmp) toNatPmp(this.#natPmp);
    this.#settle(now);
  }
}

function isDue(atMs: number | undefined, now: number): boolean {
  return atMs !== undefined && now >= atMs;
}
