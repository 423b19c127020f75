import type { Endpoint } from "../base/endpoint.ts";
import { type IgdService, PINHOLE_SERVICE } from "./igd-description.ts";
import type {
  PortWish,
  RefusalCause,
  RouterAnswer,
  RouterDatagram,
  RouterNews,
  RouterRequest,
  UpnpRouterClient,
} from "./router-client.ts";
import { PINHOLE_SEARCH_TARGETS, SSDP_PLACE_IPV6 } from "./ssdp.ts";
import type { MappedTransport } from "./transport-name.ts";
import { type Outcome, UpnpLine } from "./upnp-line.ts";

/** Of a pinhole that we renew; the standard allows a day at most. */
const LEASE_SECONDS = 3_600;
/** The numbers of IP for the two transports. */
const PROTOCOLS: Readonly<Record<MappedTransport, number>> = { tcp: 6, udp: 17 };

/** Codes of the standard's refusals. */
const FIREWALL_DISABLED = 702;
const NOT_ALLOWED = 703;
const NO_SUCH_ENTRY = 704;

const CAUSES: ReadonlyMap<number, RefusalCause> = new Map([
  [401, "unsupported"],
  [602, "unsupported"],
  [606, "not-allowed"],
  [701, "no-room"],
  [NOT_ALLOWED, "not-allowed"],
  [705, "unsupported"],
]);

/** @property id - The router's name for it; `undefined` where no firewall is in the way. */
interface Hole {
  readonly id: number | undefined;
  readonly port: number;
}

/**
 * Opens the firewall of a router for IPv6 by UPnP (WANIPv6FirewallControl 1): every machine has an address that the world
 * knows, and what has to be asked for is that packets to our port are let in. Numbers are the same inside and outside.
 */
export class PinholeClient implements UpnpRouterClient {
  readonly protocol = "UPnP";
  readonly #innerAddress: string;
  readonly #line: UpnpLine;
  readonly #held = new Map<MappedTransport, Hole>();
  #news: RouterNews[] = [];

  /**
   * @param options.gateway - `undefined` where the system does not tell it.
   * @param options.isNear - Whether an address is in our own network.
   * @param options.searchPlace - For tests.
   */
  constructor(options: {
    readonly gateway: string | undefined;
    readonly innerAddress: string;
    readonly isNear: (address: string) => boolean;
    readonly searchPlace?: Endpoint | undefined;
  }) {
    this.#innerAddress = options.innerAddress;
    this.#line = new UpnpLine({
      gateway: options.gateway,
      isNear: options.isNear,
      searchPlace: options.searchPlace ?? SSDP_PLACE_IPV6,
      searchTargets: PINHOLE_SEARCH_TARGETS,
      services: PINHOLE_SERVICE,
      onServices: (services) => this.#chooseService(services),
      onNobody: () => this.#news.push({ kind: "silent" }),
    });
  }

  get router(): string | undefined {
    return this.#line.router;
  }

  get isIdle(): boolean {
    return this.#line.isIdle;
  }

  find(now: number): void {
    this.#held.clear();
    this.#line.find(now);
  }

  map(wish: PortWish): void {
    this.#line.resume();
    this.#line.enqueue(() => this.#open(wish));
  }

  remove(transport: MappedTransport): void {
    // The name that we got may still be on its way: it is looked up when the turn comes.
    this.#line.enqueue(() => this.#giveBack(transport));
  }

  look(): void {
    for (const transport of this.#held.keys()) this.#line.enqueue(() => this.#lookAt(transport));
  }

  stop(): void {
    this.#line.stop();
    for (const transport of this.#held.keys()) this.remove(transport);
  }

  nextTimeout(): number | undefined {
    return this.#line.nextTimeout();
  }

  handleTimeout(now: number): void {
    this.#line.handleTimeout(now);
  }

  handlePacket(bytes: Uint8Array, from: Endpoint): void {
    this.#line.handlePacket(bytes, from);
  }

  handleAnswer(id: number, answer: RouterAnswer): void {
    this.#line.handleAnswer(id, answer);
  }

  takeNews(): RouterNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  takeDatagrams(): RouterDatagram[] {
    return this.#line.takeDatagrams();
  }

  takeRequests(): RouterRequest[] {
    return this.#line.takeRequests();
  }

  /** Takes the first service that answers. */
  #chooseService([service, ...others]: readonly IgdService[]): void {
    if (!service) {
      this.#line.nextDevice();
      return;
    }
    this.#line.call(service, "GetFirewallStatus", [], (outcome) => {
      if (this.#line.isStopped) return;
      if (outcome.kind === "none") {
        this.#chooseService(others);
        return;
      }
      this.#line.take(service);
      this.#news.push({ kind: "outer", address: this.#innerAddress }, { kind: "found" });
    });
  }

  #open(wish: PortWish): void {
    const held = this.#held.get(wish.transport);
    if (held?.id !== undefined && held.port === wish.innerPort) this.#renew(wish, held.id);
    else this.#add(wish);
  }

  #add({ transport, innerPort }: PortWish): void {
    const { service } = this.#line;
    if (!service) {
      this.#news.push({ kind: "silent" });
      return;
    }
    const values = [
      ["RemoteHost", ""],
      ["RemotePort", 0],
      ["InternalClient", this.#innerAddress],
      ["InternalPort", innerPort],
      ["Protocol", PROTOCOLS[transport]],
      ["LeaseTime", LEASE_SECONDS],
    ] as const;
    this.#line.call(service, "AddPinhole", values, (outcome) => {
      const id = outcome.kind === "done" ? idIn(outcome.values) : undefined;
      // Without a firewall everybody gets in; it may be switched on later.
      const isOpen = outcome.kind === "fault" && outcome.code === FIREWALL_DISABLED;
      if (id !== undefined || isOpen) this.#hold(transport, { id, port: innerPort });
      else this.#refuse(transport, outcome);
    });
  }

  #renew(wish: PortWish, id: number): void {
    const { service } = this.#line;
    if (!service) return;
    const { transport, innerPort } = wish;
    const values = [
      ["UniqueID", id],
      ["NewLeaseTime", LEASE_SECONDS],
    ] as const;
    this.#line.call(service, "UpdatePinhole", values, (outcome) => {
      if (outcome.kind === "done") this.#hold(transport, { id, port: innerPort });
      else if (outcome.kind === "fault") {
        // It has restarted, or renews nothing: a new one does as well.
        this.#held.delete(transport);
        if (!this.#line.isStopped) this.#add(wish);
      } else this.#refuse(transport, outcome);
    });
  }

  #hold(transport: MappedTransport, hole: Hole): void {
    this.#held.set(transport, hole);
    if (this.#line.isStopped) {
      // Another way was taken in the meantime.
      this.#line.enqueue(() => this.#giveBack(transport));
      return;
    }
    const span = { outerPort: hole.port, lifetimeSeconds: LEASE_SECONDS } as const;
    this.#news.push({ kind: "mapped", transport, ...span });
  }

  #refuse(transport: MappedTransport, outcome: Outcome): void {
    if (this.#line.isStopped) return;
    if (outcome.kind === "none") {
      this.#news.push({ kind: "silent" });
      return;
    }
    const isFault = outcome.kind === "fault";
    const cause = (isFault ? CAUSES.get(outcome.code) : undefined) ?? "failed";
    const words = isFault ? `${outcome.code} ${outcome.words}`.trim() : "";
    this.#news.push({ kind: "refused", transport, cause, words });
  }

  #giveBack(transport: MappedTransport): void {
    const id = this.#held.get(transport)?.id;
    this.#held.delete(transport);
    const { service } = this.#line;
    if (id === undefined || !service) return;
    // Whatever comes of it: a pinhole that is still there ends with its lease.
    this.#line.call(service, "DeletePinhole", [["UniqueID", id]], () => undefined);
  }

  /** A router that has restarted does not know our pinhole any more. */
  #lookAt(transport: MappedTransport): void {
    const id = this.#held.get(transport)?.id;
    const { service } = this.#line;
    if (id === undefined || !service) return;
    this.#line.call(service, "GetPinholePackets", [["UniqueID", id]], (outcome) => {
      if (this.#line.isStopped || !this.#held.has(transport)) return;
      if (outcome.kind === "none") this.#news.push({ kind: "silent" });
      if (outcome.kind !== "fault" || outcome.code !== NO_SUCH_ENTRY) return;
      this.#held.clear();
      this.#news.push({ kind: "lost" });
    });
  }
}

/** The router's name for a pinhole: 16 bits. */
function idIn(values: ReadonlyMap<string, string>): number | undefined {
  const text = values.get("uniqueid") ?? "";
  return /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined;
}
