import { equalBytes } from "../base/bytes.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import { unlessJunk } from "./nat-error.ts";
import { MAPPING_PORT } from "./natpmp.ts";
import {
  decodePcp,
  encodePcpAnnounce,
  encodePcpMap,
  NONCE_BYTES,
  PCP_RESULT,
  type PcpReply,
} from "./pcp.ts";
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

const LIFETIME_SECONDS = 7_200;
/** The first wait for an answer; each one after it is about twice as long (RFC 6887, 8.1.1). */
const FIRST_WAIT_MS = 3_000;
const TRIES_MAX = 4;
/** The waits differ by a tenth, so that the machines of a network do not ask at the same moment. */
const SPREAD = 0.1;
const PARTS = 1_000;

/** A mapping that was asked for. Its nonce stays the same until it is given back. */
interface Wanted {
  readonly transport: MappedTransport;
  readonly nonce: Uint8Array;
  readonly innerPort: number;
  outerPort: number;
  outerAddress: string | undefined;
}

type MappingReply = Extract<PcpReply, { kind: "mapping" }>;

type Question =
  | { readonly kind: "announce" }
  | { readonly kind: "map" | "remove"; readonly wanted: Wanted };

const CAUSES: ReadonlyMap<number, RefusalCause> = new Map([
  [PCP_RESULT.notAuthorized, "not-allowed"],
  [PCP_RESULT.unsupportedOpcode, "unsupported"],
  [PCP_RESULT.networkFailure, "no-connection"],
  [PCP_RESULT.noResources, "no-room"],
  [PCP_RESULT.unsupportedProtocol, "unsupported"],
  [PCP_RESULT.userQuota, "no-room"],
  [PCP_RESULT.cannotProvideExternal, "port-taken"],
  [PCP_RESULT.addressMismatch, "other-address"],
  [PCP_RESULT.excessivePeers, "no-room"],
]);

/** Maps ports by PCP (RFC 6887); with IPv6, opens the router's firewall for them. */
export class PcpClient implements RouterClient {
  readonly protocol = "PCP";
  readonly router: string;
  readonly #innerAddress: string;
  readonly #to: Endpoint;
  readonly #random: Random;
  readonly #line: QuestionLine<Question>;
  readonly #wanted = new Map<MappedTransport, Wanted>();
  #clock = RouterClock.pcp();
  #isStopped = false;
  #news: RouterNews[] = [];

  constructor(options: {
    readonly gateway: string;
    readonly innerAddress: string;
    readonly random: Random;
  }) {
    const { gateway, innerAddress, random } = options;
    this.router = gateway;
    this.#to = { address: gateway, port: MAPPING_PORT };
    this.#innerAddress = innerAddress;
    this.#random = random;
    this.#line = new QuestionLine((tries) =>
      tries > TRIES_MAX ? undefined : FIRST_WAIT_MS * 2 ** (tries - 1) * this.#spread(),
    );
  }

  get isIdle(): boolean {
    return this.#line.isIdle;
  }

  find(now: number): void {
    this.#isStopped = false;
    this.#clock = RouterClock.pcp();
    this.#line.clear();
    this.#line.ask({ kind: "announce" }, encodePcpAnnounce(this.#innerAddress), now);
  }

  map({ transport, innerPort, outerPort }: PortWish, now: number): void {
    this.#isStopped = false;
    const known = this.#wanted.get(transport);
    const wanted: Wanted =
      known?.innerPort === innerPort
        ? known
        : {
            transport,
            nonce: this.#random.bytes(NONCE_BYTES),
            innerPort,
            outerPort,
            outerAddress: undefined,
          };
    wanted.outerPort = outerPort;
    this.#wanted.set(transport, wanted);
    this.#ask("map", wanted, now);
  }

  remove(transport: MappedTransport, now: number): void {
    const wanted = this.#wanted.get(transport);
    this.#wanted.delete(transport);
    if (wanted) this.#ask("remove", wanted, now);
  }

  /** Only a renewed mapping tells the outer address. */
  look(now: number): void {
    const [wanted] = this.#wanted.values();
    if (wanted) this.#ask("map", wanted, now);
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

  /** @param bytes - From the router, to us or, for its announcements, to everybody. */
  handlePacket(bytes: Uint8Array, now: number): void {
    const reply = unlessJunk(() => decodePcp(bytes));
    if (!reply) return;
    if (reply.kind === "version") {
      this.#handleVersion(reply.version);
      return;
    }
    const isRestart = this.#clock.see(reply.epochSeconds, now);
    if (isRestart && !this.#isStopped && this.#wanted.size > 0) this.#news.push({ kind: "lost" });
    if (reply.kind === "mapping") {
      this.#handleMapping(reply, now);
    } else if (this.#line.current?.kind === "announce") {
      this.#line.handleAnswer(now);
      this.#news.push({ kind: "found" });
    }
  }

  takeNews(): RouterNews[] {
    const news = this.#news;
    this.#news = [];
    return news;
  }

  takeDatagrams(): RouterDatagram[] {
    return this.#line.takePackets().map((packet) => ({ packet, to: this.#to }));
  }

  #ask(kind: "map" | "remove", wanted: Wanted, now: number): void {
    const isGoing = kind === "remove";
    const packet = encodePcpMap({
      innerAddress: this.#innerAddress,
      transport: wanted.transport,
      nonce: wanted.nonce,
      innerPort: wanted.innerPort,
      outerPort: isGoing ? 0 : wanted.outerPort,
      outerAddress: isGoing ? undefined : wanted.outerAddress,
      lifetimeSeconds: isGoing ? 0 : LIFETIME_SECONDS,
    });
    this.#line.ask({ kind, wanted }, packet, now);
  }

  #handleMapping(reply: MappingReply, now: number): void {
    const question = this.#line.current;
    if (question && question.kind !== "announce" && isAbout(reply, question.wanted)) {
      // A mapping that is gone has no lifetime left; an old answer to the wish for it has.
      if (question.kind === "remove" && isGranted(reply)) return;
      this.#line.handleAnswer(now);
      if (question.kind === "map") this.#handleOutcome(reply, question.wanted, now);
      return;
    }
    // An answer that nobody asked for is how a router tells of a change (RFC 6887, 14.2).
    const wanted = this.#wanted.get(reply.transport);
    if (wanted && isAbout(reply, wanted) && isGranted(reply)) {
      this.#handleOutcome(reply, wanted, now);
    }
  }

  #handleOutcome(reply: MappingReply, wanted: Wanted, now: number): void {
    const { transport, result, outerPort, outerAddress, lifetimeSeconds } = reply;
    if (!isGranted(reply)) {
      const cause = CAUSES.get(result) ?? "failed";
      this.#news.push({ kind: "refused", transport, cause, words: `result ${result}` });
    } else if (this.#isStopped) {
      // Another way was taken in the meantime.
      this.remove(transport, now);
    } else {
      wanted.outerPort = outerPort;
      wanted.outerAddress = outerAddress;
      this.#news.push({ kind: "outer", address: outerAddress });
      this.#news.push({ kind: "mapped", transport, outerPort, lifetimeSeconds });
    }
  }

  #handleVersion(version: number): void {
    if (!this.#line.current) return;
    this.#line.clear();
    if (version === 0) this.#news.push({ kind: "older" });
    this.#news.push({ kind: "silent" });
  }

  #spread(): number {
    return 1 - SPREAD + (2 * SPREAD * this.#random.below(PARTS)) / PARTS;
  }
}

/** The nonce proves that the answer is to our request: nobody else has seen it. */
function isAbout(reply: MappingReply, wanted: Wanted): boolean {
  const { transport, innerPort, nonce } = wanted;
  const isSame = reply.transport === transport && reply.innerPort === innerPort;
  return isSame && equalBytes(reply.nonce, nonce);
}

function isGranted({ result, lifetimeSeconds, outerPort }: MappingReply): boolean {
  return result === PCP_RESULT.success && lifetimeSeconds > 0 && outerPort > 0;
}
