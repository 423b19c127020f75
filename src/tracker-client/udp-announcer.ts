import { AnnounceError } from "../announce/announce-error.ts";
import type { OutgoingAnnounce } from "../announce/announce-request.ts";
import { decodeUdpReply, type UdpReply } from "../announce/udp-reply.ts";
import { type ConnectionId, encodeUdpAnnounce, encodeUdpConnect } from "../announce/udp-request.ts";
import { addressBytes, type Endpoint, formatEndpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatagramNet } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import {
  type AnnounceBy,
  type AnnounceOutcome,
  type Announcer,
  familyOf,
} from "./announce-outcome.ts";
import { AnnounceSlots } from "./announce-slots.ts";
import { UdpExchange } from "./udp-exchange.ts";

/** Announces at one time, of all torrents together. They hold no connection, but may take half a minute. */
const UNDER_WAY_MAX = 500;

/** A client may use a connection id this long (BEP 15). */
const CONNECTION_MS = 60_000;

/**
 * How long each try waits for an answer. BEP 15 begins with 15 s, but a person would wait too long for a lost packet.
 * After the last try, the back-off of the next announce continues the doubling.
 */
const TRIES_MS = [3_000, 6_000, 15_000];

interface Connection {
  readonly id: ConnectionId;
  readonly expiresAtMs: number;
}

/** The answer to a request; `undefined` when none came in time or the request was aborted. */
type Answer = UdpReply | undefined;

/** Announces over UDP (BEP 15, BEP 41). All torrents share a socket, and connections to trackers. */
export class UdpAnnouncer implements Announcer {
  readonly #net: DatagramNet;
  readonly #refusalOf: (address: string) => string | undefined;
  readonly #clock: Clock;
  readonly #exchange: UdpExchange;
  readonly #slots = new AnnounceSlots(UNDER_WAY_MAX);
  readonly #connections = new Map<string, Connection>();
  /** Connects that are running; every announce that needs the same one waits for it. */
  readonly #connecting = new Map<string, Promise<Answer>>();

  constructor(ports: {
    readonly clock: Clock;
    readonly random: Random;
    readonly datagrams: DatagramNet;
    /** Says why no tracker at an address is asked. */
    readonly refusalOf?: ((address: string) => string | undefined) | undefined;
  }) {
    this.#net = ports.datagrams;
    this.#refusalOf = ports.refusalOf ?? (() => undefined);
    this.#clock = ports.clock;
    this.#exchange = new UdpExchange(ports);
  }

  close(): void {
    this.#exchange.close();
  }

  async announce(
    trackerUrl: string,
    announce: OutgoingAnnounce,
    by: AnnounceBy,
  ): Promise<AnnounceOutcome> {
    const outcome = await this.#slots.run(by, () => this.#announce(trackerUrl, announce, by));
    return outcome ?? unreachable("given up");
  }

  async #announce(
    trackerUrl: string,
    announce: OutgoingAnnounce,
    { family, signal }: AnnounceBy,
  ): Promise<AnnounceOutcome> {
    const place = placeOf(trackerUrl);
    if (!place) return unreachable("the address of the tracker names no port");
    const remotes = (await this.#net.resolve(place.host))
      .filter((address) => familyOf(address) === family && this.#refusalOf(address) === undefined)
      .map((address) => ({ address, port: place.port }));
    if (remotes.length === 0) return unreachable(`${place.host} has no address`);
    const refusal = await this.#exchange.open();
    if (refusal !== undefined) return unreachable(refusal);
    for (const [index, timeoutMs] of TRIES_MS.entries()) {
      if (signal.aborted) break;
      // Some addresses of a name may lead nowhere from here, so each try takes the next one.
      const remote = remotes[index % remotes.length]!;
      const answer = await this.#announceOnce(
        remote,
        (connection, transactionId) =>
          encodeUdpAnnounce(connection, transactionId, { announce, trackerUrl }),
        { timeoutMs, signal },
      );
      if (answer?.kind === "reply") return { ...answer, from: remote.address };
      if (answer?.kind === "failure") return answer;
      if (answer) return unreachable("the tracker sent the wrong kind of answer");
    }
    return unreachable(`no answer from ${place.host}`);
  }

  async #announceOnce(
    remote: Endpoint,
    encode: (connection: ConnectionId, transactionId: number) => Uint8Array,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const key = formatEndpoint(remote);
    const known = this.#connections.get(key);
    if (known && known.expiresAtMs > this.#clock.nowMs()) {
      const answer = await this.#ask(remote, (id) => encode(known.id, id), limits);
      if (answer?.kind === "reply") return answer;
      // A restarted tracker does not know the connection any more, and answers with an error or not at all.
      this.#connections.delete(key);
      if (!answer) return undefined;
    }
    const connected = await this.#connect(remote, key, limits);
    if (connected?.kind !== "connected" || limits.signal.aborted) return connected;
    return this.#ask(remote, (id) => encode(connected.connectionId, id), limits);
  }

  #connect(
    remote: Endpoint,
    key: string,
    limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<Answer> {
    const underWay = this.#connecting.get(key);
    if (underWay) return underWay;
    const connecting = this.#connectNow(remote, key, limits.timeoutMs);
    this.#connecting.set(key, connecting);
    return connecting;
  }

  /** Not aborted with one of the announces that wait for it: the others still need it. */
  async #connectNow(remote: Endpoint, key: string, timeoutMs: number): Promise<Answer> {
    const answer = await this.#ask(remote, encodeUdpConnect, { timeoutMs });
    this.#connecting.delete(key);
    if (answer?.kind === "connected") {
      this.#forgetExpired();
      this.#connections.set(key, {
        id: answer.connectionId,
        expiresAtMs: this.#clock.nowMs() + CONNECTION_MS,
      });
    }
    return answer;
  }

  async #ask(
    remote: Endpoint,
    encode: (transactionId: number) => Uint8Array,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Answer> {
    const packet = await this.#exchange.ask(remote, encode, limits);
    if (!packet) return undefined;
    const entryBytes = addressBytes(remote.address)?.length === 16 ? 18 : 6;
    try {
      return decodeUdpReply(packet, entryBytes);
    } catch (error) {
      if (!(error instanceof AnnounceError)) throw error;
      return { kind: "failure", reason: error.reason };
    }
  }

  #forgetExpired(): void {
    const now = this.#clock.nowMs();
    for (const [key, { expiresAtMs }] of this.#connections) {
      if (expiresAtMs <= now) this.#connections.delete(key);
    }
  }
}

function placeOf(trackerUrl: string): { readonly host: string; readonly port: number } | undefined {
  const url = URL.parse(trackerUrl);
  const port = Number(url?.port);
  return url && port > 0 ? { host: url.hostname, port } : undefined;
}

function unreachable(message: string): AnnounceOutcome {
  return { kind: "unreachable", message };
}
