import { addressBytes } from "../../src/base/endpoint.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import type { InnerPorts } from "../../src/nat/mapper-state.ts";
import { PortMapper } from "../../src/nat/port-mapper.ts";
import type { RouterAnswer, RouterRequest } from "../../src/nat/router-client.ts";
import { type RouterStatus, routerStatus } from "../../src/nat/router-status.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import type { Timer } from "../../src/ports/clock.ts";
import type { SimGateway } from "./sim-gateway.ts";

export const US = "192.168.1.7";
const PLACE_MAX_STEPS = 200_000;

/** What of a router a home talks to. */
export type HomeGateway = Pick<
  SimGateway,
  "address" | "answerMapping" | "answerSearch" | "answerHttp"
>;

export interface HomeOptions {
  readonly gateway: HomeGateway | undefined;
  /** Ours; default: one of IPv4. */
  readonly address?: string;
  readonly ports?: InnerPorts;
  /** One way. */
  readonly latencyMs?: number;
  /** Answers to calls by HTTP; default: those of the gateway. */
  readonly answerHttp?: (request: RouterRequest) => RouterAnswer | "never";
}

/** A machine at home with one router, in simulated time. */
export class SimHome {
  readonly simulation = new Simulation();
  readonly mapper: PortMapper;
  readonly options: HomeOptions;
  readonly ports: InnerPorts;
  /** False: the router is switched off. */
  isUp = true;
  /** Packets to port 5351, with their times. */
  readonly sent: { readonly atMs: number; readonly packet: Buffer }[] = [];
  readonly requests: RouterRequest[] = [];
  readonly searches: number[] = [];
  #timer: Timer | undefined;

  constructor(options: HomeOptions) {
    this.options = options;
    this.ports = options.ports ?? { tcp: 6881, udp: 6881 };
    this.mapper = new PortMapper({
      random: seededRandom(7),
      place: this.#place,
      ports: () => this.ports,
      isNear: (address) => [192, 0x2a].includes(addressBytes(address)?.[0] ?? 0),
    });
  }

  get #place() {
    const { address = US, gateway } = this.options;
    return { address, gateway: gateway?.address ?? "192.168.1.1" };
  }

  get now(): number {
    return this.simulation.nowMs();
  }

  start(): void {
    this.mapper.start(this.now);
    this.flush();
  }

  stop(): void {
    this.mapper.stop(this.now);
    this.flush();
  }

  run(ms: number): void {
    let steps = 0;
    this.simulation.runUntil(() => {
      steps += 1;
      if (steps > PLACE_MAX_STEPS) throw new Error("the mapper is busy without end");
      return false;
    }, ms);
  }

  status(): RouterStatus {
    const place = this.#place;
    const state = this.mapper.state(this.now);
    return routerStatus(state, { place, ports: this.ports, nowMs: this.now });
  }

  /** A datagram from anybody to the socket of requests. */
  tell(packet: Uint8Array, from: Endpoint): void {
    this.mapper.handlePacket(packet, from, this.now);
    this.flush();
  }

  tellSearch(packet: Uint8Array, from: Endpoint): void {
    this.mapper.handleSearchAnswer(packet, from, this.now);
    this.flush();
  }

  announce(packet: Uint8Array, from: Endpoint): void {
    this.mapper.handleAnnouncement(packet, from, this.now);
    this.flush();
  }

  flush(): void {
    const { gateway, latencyMs = 2 } = this.options;
    const { router, search } = this.mapper.takeDatagrams();
    for (const { packet, to } of router) {
      const copy = Buffer.from(packet);
      this.sent.push({ atMs: this.now, packet: copy });
      if (to.address !== gateway?.address || to.port !== 5351) continue;
      this.#later(() => {
        const reply = gateway.answerMapping(copy, this.options.address ?? US, this.now);
        if (reply) this.#later(() => this.tell(reply, to));
      }, latencyMs);
    }
    for (const { packet } of search) {
      const copy = Buffer.from(packet);
      this.searches.push(this.now);
      this.#later(() => {
        const reply = gateway?.answerSearch(copy);
        const from = { address: gateway?.address ?? "", port: 1900 };
        if (reply) this.#later(() => this.tellSearch(reply, from));
      }, latencyMs);
    }
    for (const request of this.mapper.takeRequests()) this.#call(request);
    this.#timer?.cancel();
    const atMs = this.mapper.nextTimeout();
    if (atMs === undefined) return;
    this.#timer = this.simulation.startTimer(Math.max(atMs - this.now, 0), () => {
      this.mapper.handleTimeout(this.now);
      this.flush();
    });
  }

  #call(request: RouterRequest): void {
    this.requests.push(request);
    const { gateway, answerHttp, latencyMs = 2 } = this.options;
    // A second answer to one request is ignored: the mapper waits for none any more.
    const answer = (given: RouterAnswer): void => {
      this.mapper.handleAnswer(request.id, given, this.now);
      this.flush();
    };
    this.simulation.startTimer(request.timeoutMs, () => answer(undefined));
    this.#later(() => {
      const own = answerHttp?.(request);
      if (own === "never") return;
      if (own) {
        answer(own);
        return;
      }
      const url = new URL(request.url);
      if (!gateway || url.hostname.replace(/^\[(.*)\]$/, "$1") !== gateway.address) return;
      const body = Buffer.from(request.body ?? []).toString();
      const asked = { method: request.method, path: url.pathname, body };
      const reply = gateway.answerHttp(asked, this.now);
      const bytes = Buffer.from(reply.body);
      answer({ status: reply.status, body: bytes.length > request.bytesMax ? undefined : bytes });
    }, latencyMs * 2);
  }

  #later(what: () => void, ms = this.options.latencyMs ?? 2): void {
    this.simulation.startTimer(ms, () => {
      if (this.isUp) what();
    });
  }
}
