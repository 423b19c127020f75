import type { Endpoint } from "../base/endpoint.ts";
import { unlessJunk } from "./nat-error.ts";
import {
  decodeNatPmp,
  encodeAddressRequest,
  encodeMapRequest,
  MAPPING_PORT,
  NATPMP_RESULT,
  type NatPmpReply,
} from "./natpmp.ts";
import { QuestionLine } from "./question-line.ts";
import type {
  PortWish,
  RefusalCause,
  RouterClient,
  RouterDatagram,
  RouterNews,
} from "./router-client.ts";
import { RouterClock } from "./router-clock.ts";
import type { MappedTransport } from "./transport-name.ts";

/** The lifetime that RFC 6886 recommends. */
const LIFETIME_SECONDS = 7_200;
/** The first wait for an answer; each one after it is twice as long (RFC 6886, 3.1). */
const FIRST_WAIT_MS = 250;
const TRIES_MAX = 9;

type Question =
  | { readonly kind: "address" }
  | { readonly kind: "map"; readonly wish: PortWish }
  | { readonly kind: "remove"; readonly transport: MappedTransport };

const CAUSES: ReadonlyMap<number, RefusalCause> = new Map([
  [NATPMP_RESULT.unsupportedVersion, "unsupported"],
  [NATPMP_RESULT.notAuthorized, "not-allowed"],
  [NATPMP_RESULT.networkFailure, "no-connection"],
  [NATPMP_RESULT.outOfResources, "no-room"],
  [NATPMP_RESULT.unsupportedOpcode, "unsupported"],
]);

/** Maps ports by NAT-PMP (RFC 6886). */
export class NatPmpClient implements RouterClient {
  readonly protocol = "NAT-PMP";
  readonly router: string;
  readonly #to: Endpoint;
  readonly #line = new QuestionLine<Question>((tries) =>
    tries > TRIES_MAX ? undefined : FIRST_WAIT_MS * 2 ** (tries - 1),
  );
  #clock = RouterClock.natPmp();
  /** The inner ports of what we asked for: a mapping that comes when nobody waits for it is given back. */
  readonly #innerPorts = new Map<MappedTransport, number>();
  #isStopped = false;
  #news: RouterNews[] = [];

  constructor(gateway: string) {
    this.router = gateway;
    this.#to = { address: gateway, port: MAPPING_PORT };
  }

  get isIdle(): boolean {
    return this.#line.isIdle;
  }

  find(now: number): void {
    this.#isStopped = false;
    this.#clock = RouterClock.natPmp();
    this.#line.clear();
    this.#line.ask({ kind: "address" }, encodeAddressRequest(), now);
  }

  map(wish: PortWish, now: number): void {
    this.#isStopped = false;
    this.#innerPorts.set(wish.transport, wish.innerPort);
    const packet = encodeMapRequest({ ...wish, lifetimeSeconds: LIFETIME_SECONDS });
    this.#line.ask({ kind: "map", wish }, packet, now);
  }

  remove(transport: MappedTransport, now: number): void {
    const innerPort = this.#innerPorts.get(transport);
    if (innerPort === undefined) return;
    const packet = encodeMapRequest({ transport, innerPort, outerPort: 0, lifetimeSeconds: 0 });
    this.#line.ask({ kind: "remove", transport }, packet, now);
  }

  look(now: number): void {
    this.#line.ask({ kind: "address" }, encodeAddressRequest(), now);
  }

  stop(): void {
    this.#isStopped = true;
    this.#line.clear();
  }

  nextTimeout(): number | undefined {
    return this.#line.nextTimeout();
  }

  handleTimeout(now: number): void {
    const given = this.#line.handleTimeout(now);
    if (!given || given.kind === "remove") return;
    this.#line.clear();
    this.#news.push({ kind: "silent" });
  }

  /** @param bytes - From the router, to us. */
  handlePacket(bytes: Uint8Array, now: number): void {
    const reply = unlessJunk(() => decodeNatPmp(bytes));
    if (!reply) return;
    const question = this.#line.current;
    if (reply.kind === "refusal") {
      this.#handleRefusal(reply, question, now);
      return;
    }
    if (this.#clock.see(reply.epochSeconds, now) && !this.#isStopped) {
      this.#news.push({ kind: "lost" });
    }
    if (reply.kind === "address") {
      this.#news.push({ kind: "outer", address: reply.address });
      if (question?.kind !== "address") return;
      this.#news.push({ kind: "found" });
      this.#line.handleAnswer(now);
    } else this.#handleMapping(reply, question, now);
  }

  /** @param bytes - From the router, to everybody: it has restarted, or has a new address. */
  handleAnnouncement(bytes: Uint8Array, now: number): void {
    const reply = unlessJunk(() => decodeNatPmp(bytes));
    if (reply?.kind !== "address") return;
    if (this.#clock.see(reply.epochSeconds, now)) this.#news.push({ kind: "lost" });
    this.#news.push({ kind: "outer", address: reply.address });
  }

  takeNews(): RouterNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  takeDatagrams(): RouterDatagram[] {
    return this.#line.takePackets().map((packet) => ({ packet, to: this.#to }));
  }

  #handleMapping(
    reply: Extract<NatPmpReply, { kind: "mapping" }>,
    question: Question | undefined,
    now: number,
  ): void {
    const { transport, innerPort, outerPort, lifetimeSeconds } = reply;
    if (this.#innerPorts.get(transport) !== innerPort) return;
    if (question?.kind === "remove" && question.transport === transport) {
      if (lifetimeSeconds === 0) this.#line.handleAnswer(now);
      return;
    }
    if (question?.kind === "map" && question.wish.transport === transport) {
      this.#line.handleAnswer(now);
      const isGranted = lifetimeSeconds > 0 && outerPort > 0;
      this.#news.push(
        isGranted
          ? { kind: "mapped", transport, outerPort, lifetimeSeconds }
          : { kind: "refused", transport, cause: "failed", words: "" },
      );
      return;
    }
    // Somebody else's way was taken in the meantime.
    if (this.#isStopped && lifetimeSeconds > 0) this.remove(transport, now);
  }

  #handleRefusal(
    { result, op }: Extract<NatPmpReply, { kind: "refusal" }>,
    question: Question | undefined,
    now: number,
  ): void {
    if (!question || op !== opOf(question)) return;
    this.#line.handleAnswer(now);
    const cause = CAUSES.get(result) ?? "failed";
    if (question.kind === "map") {
      const { transport } = question.wish;
      this.#news.push({ kind: "refused", transport, cause, words: `result ${result}` });
    } else if (question.kind === "address") {
      if (cause !== "no-connection") this.#news.push({ kind: "silent" });
      else this.#news.push({ kind: "outer", address: "0.0.0.0" }, { kind: "found" });
    }
  }
}

function opOf(question: Question): number {
  if (question.kind === "address") return 0;
  const transport = question.kind === "map" ? question.wish.transport : question.transport;
  return transport === "udp" ? 1 : 2;
}
