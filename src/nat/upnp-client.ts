import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { type IgdService, MAPPING_SERVICE } from "./igd-description.ts";
import type {
  PortWish,
  RefusalCause,
  RouterAnswer,
  RouterDatagram,
  RouterNews,
  RouterRequest,
  UpnpRouterClient,
} from "./router-client.ts";
import type { SoapAnswer } from "./soap.ts";
import { SEARCH_TARGETS, SSDP_PLACE } from "./ssdp.ts";
import { type MappedTransport, upperName } from "./transport-name.ts";
import { type Outcome, UpnpLine } from "./upnp-line.ts";

/** Of a mapping that we renew. */
const LEASE_SECONDS = 3_600;
/** What a router lists for people. */
const DESCRIPTION = "everseed";

/** Codes of the standard's refusals. */
const INVALID_ARGS = 402;
const NO_SUCH_ENTRY = 714;
const CONFLICT = 718;
const SAME_PORTS_ONLY = 724;
const PERMANENT_ONLY = 725;
const OTHER_MECHANISM = 729;

const CAUSES: ReadonlyMap<number, RefusalCause> = new Map([
  [401, "unsupported"],
  [602, "unsupported"],
  [606, "not-allowed"],
  [CONFLICT, "port-taken"],
  [SAME_PORTS_ONLY, "port-taken"],
  [728, "no-room"],
  [OTHER_MECHANISM, "port-taken"],
]);

/** A service, and the outer address that it tells; empty when it tells none. */
interface Answering {
  readonly service: IgdService;
  readonly address: string;
}

/** Maps ports by UPnP: finds the router (SSDP), reads its description, and calls its service (IGD 1 and 2). */
export class UpnpClient implements UpnpRouterClient {
  readonly protocol = "UPnP";
  readonly #innerAddress: string;
  readonly #line: UpnpLine;
  /** The router grants permanent mappings only. */
  #isPermanent = false;
  readonly #held = new Map<MappedTransport, { outerPort: number; innerPort: number }>();
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
      searchPlace: options.searchPlace ?? SSDP_PLACE,
      searchTargets: SEARCH_TARGETS,
      services: MAPPING_SERVICE,
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
    this.#line.enqueue(() => this.#map(wish));
  }

  remove(transport: MappedTransport): void {
    // The port that we got may still be on its way: it is looked up when the turn comes.
    this.#line.enqueue(() => this.#giveBack(transport));
  }

  look(): void {
    this.#line.enqueue(() => this.#askAddress());
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

  // ---- Finding the service -----------------------------------------------------------------------

  /** Takes the first service that is connected, or else the first one that answers. */
  #chooseService(services: readonly IgdService[], spare?: Answering): void {
    const [service, ...others] = services;
    if (!service) {
      if (spare) this.#take(spare);
      else this.#line.nextDevice();
      return;
    }
    this.#line.call(service, "GetExternalIPAddress", [], (outcome) => {
      if (this.#line.isStopped) return;
      const address = outcome.kind === "done" ? addressIn(outcome) : "";
      const answering = outcome.kind === "none" ? undefined : { service, address };
      if (answering && address !== "" && address !== "0.0.0.0") this.#take(answering);
      else this.#chooseService(others, spare ?? answering);
    });
  }

  #take({ service, address }: Answering): void {
    this.#line.take(service);
    this.#news.push({ kind: "outer", address }, { kind: "found" });
  }

  // ---- Mapping -----------------------------------------------------------------------------------

  #map(wish: PortWish): void {
    const { transport, innerPort, outerPort } = wish;
    const lease = this.#isPermanent ? 0 : LEASE_SECONDS;
    this.#add("AddPortMapping", { wish, lease }, (outcome) => {
      if (outcome.kind === "done") {
        this.#hold(transport, { outerPort, innerPort });
      } else if (outcome.kind === "fault" && this.#isLeaseRefused(outcome.code)) {
        // Old routers refuse the lease with "invalid arguments".
        this.#isPermanent = true;
        this.#map(wish);
      } else if (outcome.kind === "fault" && outcome.code === CONFLICT && this.#hasAnyPort) {
        this.#mapAny(wish);
      } else this.#refuse(transport, outcome);
    });
  }

  /** IGD 2: the router chooses the number. */
  #mapAny(wish: PortWish): void {
    const { transport, innerPort } = wish;
    const lease = this.#isPermanent ? 0 : LEASE_SECONDS;
    this.#add("AddAnyPortMapping", { wish, lease }, (outcome) => {
      const outerPort = outcome.kind === "done" ? portIn(outcome, "newreservedport") : undefined;
      if (outerPort === undefined) this.#refuse(transport, outcome);
      else this.#hold(transport, { outerPort, innerPort });
    });
  }

  #add(
    action: "AddPortMapping" | "AddAnyPortMapping",
    { wish, lease }: { readonly wish: PortWish; readonly lease: number },
    then: (outcome: Outcome) => void,
  ): void {
    const { service } = this.#line;
    if (!service) {
      this.#news.push({ kind: "silent" });
      return;
    }
    const values = [
      ["NewRemoteHost", ""],
      ["NewExternalPort", wish.outerPort],
      ["NewProtocol", upperName(wish.transport)],
      ["NewInternalPort", wish.innerPort],
      ["NewInternalClient", this.#innerAddress],
      ["NewEnabled", 1],
      ["NewPortMappingDescription", DESCRIPTION],
      ["NewLeaseDuration", lease],
    ] as const;
    this.#line.call(service, action, values, then);
  }

  #isLeaseRefused(code: number): boolean {
    return !this.#isPermanent && (code === PERMANENT_ONLY || code === INVALID_ARGS);
  }

  get #hasAnyPort(): boolean {
    return this.#line.service?.type.endsWith(":2") ?? false;
  }

  #hold(transport: MappedTransport, ports: { outerPort: number; innerPort: number }): void {
    const { outerPort } = ports;
    this.#held.set(transport, ports);
    if (this.#line.isStopped) {
      // Another way was taken in the meantime.
      this.#line.enqueue(() => this.#giveBack(transport));
      return;
    }
    const lifetimeSeconds = this.#isPermanent ? undefined : LEASE_SECONDS;
    this.#news.push({ kind: "mapped", transport, outerPort, lifetimeSeconds });
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
    const held = this.#held.get(transport);
    this.#held.delete(transport);
    const { service } = this.#line;
    if (!held || !service) return;
    const values = [
      ["NewRemoteHost", ""],
      ["NewExternalPort", held.outerPort],
      ["NewProtocol", upperName(transport)],
    ] as const;
    // Whatever comes of it: a mapping that is still there ends with its lease.
    this.#line.call(service, "DeletePortMapping", values, () => undefined);
  }

  // ---- Looking -----------------------------------------------------------------------------------

  #askAddress(): void {
    const { service } = this.#line;
    if (!service) return;
    this.#line.call(service, "GetExternalIPAddress", [], (outcome) => {
      if (outcome.kind === "done") this.#news.push({ kind: "outer", address: addressIn(outcome) });
      if (outcome.kind === "none" && !this.#line.isStopped) this.#news.push({ kind: "silent" });
    });
  }

  /** A router that has restarted does not know our mapping any more, or has given its number away. */
  #lookAt(transport: MappedTransport): void {
    const held = this.#held.get(transport);
    const { service } = this.#line;
    if (!held || !service) return;
    const values = [
      ["NewRemoteHost", ""],
      ["NewExternalPort", held.outerPort],
      ["NewProtocol", upperName(transport)],
    ] as const;
    this.#line.call(service, "GetSpecificPortMappingEntry", values, (outcome) => {
      if (this.#line.isStopped || !this.#held.has(transport)) return;
      const isGone =
        outcome.kind === "fault"
          ? outcome.code === NO_SUCH_ENTRY
          : outcome.kind === "done" && !this.#isOurs(outcome, held.innerPort);
      if (!isGone) return;
      this.#held.clear();
      this.#news.push({ kind: "lost" });
    });
  }

  #isOurs({ values }: Extract<SoapAnswer, { kind: "done" }>, innerPort: number): boolean {
    const client = values.get("newinternalclient");
    const port = values.get("newinternalport");
    return client === this.#innerAddress && port === String(innerPort);
  }
}

/** A text that is no address is none. */
function addressIn({ values }: Extract<SoapAnswer, { kind: "done" }>): string {
  const text = values.get("newexternalipaddress") ?? "";
  return addressBytes(text)?.length === 4 ? text : "";
}

function portIn(
  { values }: Extract<SoapAnswer, { kind: "done" }>,
  name: string,
): number | undefined {
  const text = values.get(name) ?? "";
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port > 0 && port <= 65_535 ? port : undefined;
}
