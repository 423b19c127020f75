import type { Endpoint } from "../base/endpoint.ts";
import { type IgdService, readDescription } from "./igd-description.ts";
import { NatError, unlessJunk } from "./nat-error.ts";
import type { RouterAnswer, RouterDatagram, RouterRequest } from "./router-client.ts";
import { encodeCall, readSoapAnswer, type SoapAnswer } from "./soap.ts";
import { ANSWER_SECONDS_MAX, encodeSearch } from "./ssdp.ts";
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

/** What came of a call. `none`: no answer that counts. */
export type Outcome = SoapAnswer | { readonly kind: "none"; readonly words: string };

/** A call that waits for its turn, decided when it has come. */
type Turn = () => void;

export interface UpnpLineOptions {
  /** `undefined` where the system does not tell it. */
  readonly gateway: string | undefined;
  /** Whether an address is in our own network. */
  readonly isNear: (address: string) => boolean;
  readonly searchPlace: Endpoint;
  readonly searchTargets: readonly string[];
  /** The types of the services that are of use. */
  readonly services: RegExp;
  /** A device has services of use, one at least; the user takes one, or goes on with `nextDevice`. */
  readonly onServices: (services: readonly IgdService[]) => void;
  /** The search is over, and nobody is left. */
  readonly onNobody: () => void;
}

/** The way to one router by UPnP: the search for it, its description, and one call of a service at a time. */
export class UpnpLine {
  readonly #options: UpnpLineOptions;
  readonly #devices: UpnpDevices;
  #device: UpnpDevice | undefined;
  #service: IgdService | undefined;
  /** `undefined` when no search is under way. */
  #searchBeganMs: number | undefined;
  #round = 0;
  #pending: { readonly id: number; readonly handle: (answer: RouterAnswer) => void } | undefined;
  #turns: Turn[] = [];
  #lastId = 0;
  #isStopped = false;
  #datagrams: RouterDatagram[] = [];
  #requests: RouterRequest[] = [];

  constructor(options: UpnpLineOptions) {
    this.#options = options;
    this.#devices = new UpnpDevices(options.gateway, options.isNear);
  }

  get router(): string | undefined {
    return this.#device?.address;
  }

  /** The one that was taken. */
  get service(): IgdService | undefined {
    return this.#service;
  }

  get isIdle(): boolean {
    return this.#pending === undefined && this.#turns.length === 0 && this.#requests.length === 0;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  find(now: number): void {
    this.#isStopped = false;
    this.#device = undefined;
    this.#service = undefined;
    this.#pending = undefined;
    this.#turns = [];
    this.#devices.clear();
    this.#searchBeganMs = now;
    this.#round = 0;
    this.handleTimeout(now);
  }

  /** It is used again after `stop`. */
  resume(): void {
    this.#isStopped = false;
  }

  /** Forgets what waits. The call under way goes on. */
  stop(): void {
    this.#isStopped = true;
    this.#searchBeganMs = undefined;
    this.#turns = [];
  }

  /** The search is over: this service is the router's. */
  take(service: IgdService): void {
    this.#service = service;
    this.#searchBeganMs = undefined;
  }

  /** Looks at the next device that answered; when the search is over and there is none, nobody is left. */
  nextDevice(): void {
    if (this.#isStopped || this.#pending || this.#service) return;
    const isOver = this.#searchBeganMs === undefined;
    this.#device = this.#devices.takeNext(isOver);
    const device = this.#device;
    if (!device) {
      if (isOver) this.#options.onNobody();
      return;
    }
    const request = { method: "GET", url: device.location, headers: {}, body: undefined } as const;
    this.#send({ ...request, bytesMax: XML_BYTES_MAX }, (answer) => {
      if (this.#isStopped) return;
      const services = answer?.status === 200 && answer.body ? this.#read(answer.body, device) : [];
      if (services.length > 0) this.#options.onServices(services);
      else this.nextDevice();
    });
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
      const { searchPlace: to, searchTargets } = this.#options;
      for (const target of searchTargets) {
        this.#datagrams.push({ packet: encodeSearch(target, to.address), to });
      }
      return;
    }
    this.#searchBeganMs = undefined;
    this.nextDevice();
  }

  /** A datagram came to the socket of the search. */
  handlePacket(bytes: Uint8Array, from: Endpoint): void {
    if (this.#searchBeganMs === undefined || this.#service) return;
    this.#devices.handleAnswer(bytes, from);
    this.nextDevice();
  }

  handleAnswer(id: number, answer: RouterAnswer): void {
    if (this.#pending?.id !== id) return;
    const { handle } = this.#pending;
    this.#pending = undefined;
    handle(answer);
    this.#nextTurn();
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

  enqueue(turn: Turn): void {
    if (this.#turns.length < CALLS_MAX) this.#turns.push(turn);
    this.#nextTurn();
  }

  /** Calls at once; a turn, or the end of another call, is the moment for it. */
  call(
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

  #nextTurn(): void {
    while (!this.#pending) {
      const turn = this.#turns.shift();
      if (!turn) return;
      turn();
    }
  }

  #send(
    request: Omit<RouterRequest, "id" | "timeoutMs">,
    handle: (answer: RouterAnswer) => void,
  ): void {
    this.#lastId += 1;
    this.#pending = { id: this.#lastId, handle };
    this.#requests.push({ ...request, id: this.#lastId, timeoutMs: ANSWER_MS_MAX });
  }

  #read(body: Uint8Array, device: UpnpDevice): readonly IgdService[] {
    return unlessJunk(() => readDescription(body, device, this.#options.services)) ?? [];
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
