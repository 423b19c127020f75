import { udpTransactionId } from "../announce/udp-reply.ts";
import type { Endpoint } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";

interface Question {
  readonly remote: Endpoint;
  readonly settle: (packet: Uint8Array | undefined) => void;
}

/**
 * Sends requests and receives answers over one UDP socket, which is opened for the first request. An answer counts
 * when it has the transaction id of a request and comes from the address it was sent to.
 */
export class UdpExchange {
  readonly #net: DatagramNet;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #questions = new Map<number, Question>();
  #opening: Promise<string | undefined> | undefined;
  #socket: DatagramSocket | undefined;
  #closed = false;

  constructor(ports: {
    readonly clock: Clock;
    readonly random: Random;
    readonly datagrams: DatagramNet;
  }) {
    this.#net = ports.datagrams;
    this.#clock = ports.clock;
    this.#random = ports.random;
  }

  /** @returns Why there is no socket; `undefined` when it is open. */
  open(): Promise<string | undefined> {
    this.#opening ??= this.#bind();
    return this.#opening;
  }

  /** @returns The answer, or `undefined` when none came in time or the signal aborted it. */
  ask(
    remote: Endpoint,
    encode: (transactionId: number) => Uint8Array,
    limits: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<Uint8Array | undefined> {
    const socket = this.#socket;
    if (!socket || limits.signal?.aborted) return Promise.resolve(undefined);
    const transactionId = this.#freeTransactionId();
    const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
    const giveUp = (): void => settle(undefined);
    const settle = (packet: Uint8Array | undefined): void => {
      timer.cancel();
      limits.signal?.removeEventListener("abort", giveUp);
      this.#questions.delete(transactionId);
      resolve(packet);
    };
    const timer = this.#clock.startTimer(limits.timeoutMs, giveUp);
    limits.signal?.addEventListener("abort", giveUp);
    this.#questions.set(transactionId, { remote, settle });
    socket.send(encode(transactionId), remote);
    return promise;
  }

  close(): void {
    this.#closed = true;
    for (const question of this.#questions.values()) question.settle(undefined);
    this.#socket?.close();
    this.#socket = undefined;
  }

  async #bind(): Promise<string | undefined> {
    const receive = (bytes: Uint8Array, from: Endpoint): void => this.#receive(bytes, from);
    let socket: DatagramSocket;
    try {
      // "::" also reaches IPv4 when the machine has IPv6.
      socket = await this.#net
        .bind({ host: "::", port: 0, receive })
        .catch(() => this.#net.bind({ host: "0.0.0.0", port: 0, receive }));
    } catch (error) {
      this.#opening = undefined;
      return error instanceof Error ? error.message : "there is no UDP socket";
    }
    if (this.#closed) {
      socket.close();
      return "the client is closed";
    }
    this.#socket = socket;
    return undefined;
  }

  #receive(bytes: Uint8Array, from: Endpoint): void {
    const transactionId = udpTransactionId(bytes);
    const question = transactionId === undefined ? undefined : this.#questions.get(transactionId);
    if (question?.remote.port !== from.port || question.remote.address !== from.address) return;
    question.settle(bytes.slice());
  }

  #freeTransactionId(): number {
    for (;;) {
      const transactionId = this.#random.below(2 ** 32);
      if (!this.#questions.has(transactionId)) return transactionId;
    }
  }
}
