import { addressBytes, type Endpoint } from "../base/endpoint.ts";
import { type IgdService, readDescription } from "./igd-description.ts";
import { NatError, unlessJunk } from "./nat-error.ts";
import type {
  PortWish,
  RefusalCause,
  RouterAnswer,
  RouterClient,
  RouterDatagram,
  RouterNews,
  RouterRequest,
} from "./router-client.ts";
import { encodeCall, readSoapAnswer, type SoapAnswer } from "./soap.ts";
import { ANSWER_SECONDS_MAX, encodeSearch, SEARCH_TARGETS, SSDP_PLACE } from "./ssdp.ts";
import { type MappedTransport, upperName } from "./transport-name.ts";
import { type UpnpDevice, UpnpDevices } from "./upnp-devices.ts";
import { XML_BYTES_MAX } from "./xml-reader.ts";

/** When the search is repeated: datagrams are lost. */
const ROUNDS_MS = [0, 1_000, 3_000] as const;
const SEARCH_MS = ROUNDS_MS[2] + ANSWER_SECONDS_MAX * 1_000 + 500;
/** Of one exchange by HTTP, from the first byte to the last. */
const ANSWER_MS_MAX = 5_000;
const ANSWER_BYTES_MAX = 32 * 1024;
/** Calls that wait; there are never many. */
const CALLS_MAX = 24;
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

type Outcome = SoapAnswer | { readonly kind: "none"; readonly words: string };

/** A service, and the outer address that it tells; empty when it tells none. */
interface Answering {
  readonly service: IgdService;
  readonly address: string;
}

/** A call that waits for its turn, decided when it has come. */
type Turn = () => void;

/** Maps ports by UPnP: finds the router (SSDP), reads its description, and calls its service (IGD 1 and 2). */
export class UpnpClient implements RouterClient {
  readonly protocol = "UPnP";
  readonly #innerAddress: string;
  readonly #devices: UpnpDevices;
  readonly #searchPlace: Endpoint;
  #device: UpnpDevice | undefined;
  #service: IgdService | undefined;
  /** `undefined` when no search is under way. */
  #searchBeganMs: number | undefined;
  #round = 0;
  /** The router grants permanent mappings only. */
  #isPermanent = false;
  readonly #held = new Map<MappedTransport, { outerPort: number; innerPort: number }>();
  #pending: { readonly id: number; readonly handle: (answer: RouterAnswer) => void } | undefined;
  #turns: Turn[] = [];
  #lastId = 0;
  #isStopped = false;
  #news: RouterNews[] = [];
  #datagrams: RouterDatagram[] = [];
  #requests: RouterRequest[] = [];

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
    this.#devices = new UpnpDevices(options.gateway, options.isNear);
    this.#searchPlace = options.searchPlace ?? SSDP_PLACE;
  }

  get router(): string | undefined {
    return this.#device?.address;
  }

  get isIdle(): boolean {
    return this.#pending === undefined && this.#turns.length === 0 && this.#requests.length === 0;
  }

  find(now: number): void {
    this.#isStopped = false;
    this.#device = undefined;
    this.#service = undefined;
    this.#held.clear();
    this.#pending = undefined;
    this.#turns = [];
    this.#devices.clear();
    this.#searchBeganMs = now;
    this.#round = 0;
    this.handleTimeout(now);
  }

  map(wish: PortWish): void {
    this.#isStopped = false;
    this.#enqueue(() => this.#map(wish));
  }

  remove(transport: MappedTransport): void {
    // The port that we got may still be on its way: it is looked up when the turn comes.
    this.#enqueue(() => this.#giveBack(transport));
  }

  look(): void {
    this.#enqueue(() => this.#askAddress());
    for (const transport of this.#held.keys()) this.#enqueue(() => this.#lookAt(transport));
  }

  stop(): void {
    this.#isStopped = true;
    this.#searchBeganMs = undefined;
    this.#turns = [];
    for (const transport of this.#held.keys()) this.remove(transport);
  }

  nextTimeout(): number | undefined {
    if (this.#searchBeganMs === undefined) return undefined;
    return this.#searchBeganMs + (ROUNDS_MS[this.#round] ?? SEARCH_MS);
  }

  handleTimeout(now: number): void {
    const due = this.nextTimeout();
    if (due === undefined || now < due) return;
    if (this.#round < ROUNDS_MS.length) {
      this.#round += 1;
      for (const target of SEARCH_TARGETS) {
        this.#datagrams.push({ packet: encodeSearch(target), to: this.#searchPlace });
      }
      return;
    }
    this.#searchBeganMs = undefined;
    this.#nextDevice();
  }

  /** A datagram came to the socket of the search. */
  handlePacket(bytes: Uint8Array, from: Endpoint): void {
    if (this.#searchBeganMs === undefined || this.#service) return;
    this.#devices.handleAnswer(bytes, from);
    this.#nextDevice();
  }

  handleAnswer(id: number, answer: RouterAnswer): void {
    if (this.#pending?.id !== id) return;
    const { handle } = this.#pending;
    this.#pending = undefined;
    handle(answer);
    this.#nextTurn();
  }

  takeNews(): RouterNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  takeDatagrams(): RouterDatagram[] {
    const datagrams = this.#datagrams;
    this.#datagrams = [];
    return datagrams;
  }

  takeRequests(): RouterRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  // ---- Finding the service -----------------------------------------------------------------------

  #nextDevice(): void {
    if (this.#isStopped || this.#pending || this.#service) return;
    const isOver = this.#searchBeganMs === undefined;
    const device = this.#devices.takeNext(isOver);
    if (!device) {
      if (isOver) this.#news.push({ kind: "silent" });
      return;
    }
    this.#device = device;
    const { location } = device;
    const request = { method: "GET", url: location, headers: {}, body: undefined } as const;
    this.#send({ ...request, bytesMax: XML_BYTES_MAX }, (answer) => {
      const services = answer?.status === 200 && answer.body ? read(answer.body, device) : [];
      if (!this.#isStopped) this.#chooseService(services);
    });
  }

  /** Takes the first service that is connected, or else the first one that answers. */
  #chooseService(services: readonly IgdService[], spare?: Answering): void {
    const [service, ...others] = services;
    if (!service) {
      if (spare) this.#take(spare);
      else {
        this.#device = undefined;
        this.#nextDevice();
      }
      return;
    }
    this.#call(service, "GetExternalIPAddress", [], (outcome) => {
      if (this.#isStopped) return;
      const address = outcome.kind === "done" ? addressIn(outcome) : "";
      const answering = outcome.kind === "none" ? undefined : { service, address };
      if (answering && address !== "" && address !== "0.0.0.0") this.#take(answering);
      else this.#chooseService(others, spare ?? answering);
    });
  }

  #take({ service, address }: Answering): void {
    this.#service = service;
    this.#searchBeganMs = undefined;
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
    const service = this.#service;
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
    this.#call(service, action, values, then);
  }

  #isLeaseRefused(code: number): boolean {
    return !this.#isPermanent && (code === PERMANENT_ONLY || code === INVALID_ARGS);
  }

  get #hasAnyPort(): boolean {
    return this.#service?.type.endsWith(":2") ?? false;
  }

  #hold(transport: MappedTransport, ports: { outerPort: number; innerPort: number }): void {
    const { outerPort } = ports;
    this.#held.set(transport, ports);
    if (this.#isStopped) {
      // Another way was taken in the meantime.
      this.#turns.push(() => this.#giveBack(transport));
      return;
    }
    const lifetimeSeconds = this.#isPermanent ? undefined : LEASE_SECONDS;
    this.#news.push({ kind: "mapped", transport, outerPort, lifetimeSeconds });
  }

  #refuse(transport: MappedTransport, outcome: Outcome): void {
    if (this.#isStopped) return;
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
    if (!held || !this.#service) return;
    const values = [
      ["NewRemoteHost", ""],
      ["NewExternalPort", held.outerPort],
      ["NewProtocol", upperName(transport)],
    ] as const;
    // Whatever comes of it: a mapping that is still there ends with its lease.
    this.#call(this.#service, "DeletePortMapping", values, () => undefined);
  }

  // ---- Looking -----------------------------------------------------------------------------------

  #askAddress(): void {
    if (!this.#service) return;
    this.#call(this.#service, "GetExternalIPAddress", [], (outcome) => {
      if (outcome.kind === "done") this.#news.push({ kind: "outer", address: addressIn(outcome) });
      if (outcome.kind === "none" && !this.#isStopped) this.#news.push({ kind: "silent" });
    });
  }

  /** A router that has restarted does not know our mapping any more, or has given its number away. */
  #lookAt(transport: MappedTransport): void {
    const held = this.#held.get(transport);
    if (!held || !this.#service) return;
    const values = [
      ["NewRemoteHost", ""],
      ["NewExternalPort", held.outerPort],
      ["NewProtocol", upperName(transport)],
    ] as const;
    this.#call(this.#service, "GetSpecificPortMappingEntry", values, (outcome) => {
      if (this.#isStopped || !this.#held.has(transport)) return;
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

  // ---- Calls -------------------------------------------------------------------------------------

  #enqueue(turn: Turn): void {
    if (this.#turns.length < CALLS_MAX) this.#turns.push(turn);
    this.#nextTurn();
  }

  #nextTurn(): void {
    while (!this.#pending) {
      const turn = this.#turns.shift();
      if (!turn) return;
      turn();
    }
  }

  #call(
    service: IgdService,
    action: string,
    values: readonly (readonly [string, string | number])[],
    then: (outcome: Outcome) => void,
  ): void {
    const { headers, body } = encodeCall({ serviceType: service.type, action, values });
    const request = { method: "POST", url: service.controlUrl, headers, body } as const;
    this.#send({ ...request, bytesMax: ANSWER_BYTES_MAX }, (answer) =>
      then(outcomeOf(answer, action)),
    );
  }

  #send(
    request: Omit<RouterRequest, "id" | "timeoutMs">,
    handle: (answer: RouterAnswer) => void,
  ): void {
    this.#lastId += 1;
    this.#pending = { id: this.#lastId, handle };
    this.#requests.push({ ...request, id: this.#lastId, timeoutMs: ANSWER_MS_MAX });
  }
}

/** A service refuses with status 500. A redirect, or anything else, is no answer (WIR-26). */
function outcomeOf(answer: RouterAnswer, action: string): Outcome {
  if (!answer) return { kind: "none", words: "no answer" };
  const { status, body } = answer;
  if ((status !== 200 && status !== 500) || !body) return { kind: "none", words: `HTTP ${status}` };
  try {
    return readSoapAnswer(body, action);
  } catch (error) {
    if (error instanceof NatError) return { kind: "none", words: error.message };
    throw error;
  }
}

function read(body: Uint8Array, device: UpnpDevice): readonly IgdService[] {
  return unlessJunk(() => readDescription(body, device)) ?? [];
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
