/** Questions that wait. We ask for two ports, look at them and give them back: there are never many. */
const WAITING_MAX = 16;

interface Asked<What> {
  readonly what: What;
  readonly packet: Uint8Array;
  tries: number;
  againAtMs: number;
}

/**
 * Asks a router one question after another over UDP, each again and again until it is answered: routers serve one
 * request at a time, and drop the others (RFC 6886, 3.1).
 */
export class QuestionLine<What> {
  readonly #delayMs: (tries: number) => number | undefined;
  #current: Asked<What> | undefined;
  #waiting: { readonly what: What; readonly packet: Uint8Array }[] = [];
  #packets: Uint8Array[] = [];

  /** @param delayMs - How long to wait after that many tries; `undefined` gives up. */
  constructor(delayMs: (tries: number) => number | undefined) {
    this.#delayMs = delayMs;
  }

  /** The question under way. */
  get current(): What | undefined {
    return this.#current?.what;
  }

  get isIdle(): boolean {
    return this.#current === undefined && this.#packets.length === 0;
  }

  ask(what: What, packet: Uint8Array, now: number): void {
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push({ what, packet });
    if (!this.#current) this.#next(now);
  }

  /** The current question is answered: the next one is asked. */
  handleAnswer(now: number): void {
    this.#current = undefined;
    this.#next(now);
  }

  /** Forgets all questions. */
  clear(): void {
    this.#current = undefined;
    this.#waiting = [];
  }

  nextTimeout(): number | undefined {
    return this.#current?.againAtMs;
  }

  /** @returns The question that nobody answered, when it is given up now. */
  handleTimeout(now: number): What | undefined {
    const current = this.#current;
    if (!current || now < current.againAtMs) return undefined;
    if (this.#send(current, now)) return undefined;
    this.handleAnswer(now);
    return current.what;
  }

  takePackets(): Uint8Array[] {
    const packets = this.#packets;
    this.#packets = [];
    return packets;
  }

  #next(now: number): void {
    const next = this.#waiting.shift();
    if (!next) return;
    this.#current = { ...next, tries: 0, againAtMs: now };
    this.#send(this.#current, now);
  }

  #send(asked: Asked<What>, now: number): boolean {
    const delayMs = this.#delayMs(asked.tries + 1);
    if (delayMs === undefined) return false;
    asked.tries += 1;
    asked.againAtMs = now + delayMs;
    this.#packets.push(asked.packet);
    return true;
  }
}
