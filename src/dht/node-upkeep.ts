import type { Endpoint } from "../base/endpoint.ts";
import type { Random } from "../ports/random.ts";
import { endpointKey } from "./contact.ts";
import { NODE_ID_BYTES, randomIdNear, sharedBits } from "./node-id.ts";
import type { RoutingTable } from "./routing-table.ts";

/** Between two steps of upkeep. */
const STEP_MS = 5000;
/** The same while we know too few nodes. */
const STEP_THIN_MS = 1000;
/** A table with fewer nodes than this is thin: one lookup could lose them all. */
const THIN_NODES = 16;
/** Nodes heard of that are asked in one step, the same with a thin table. */
const HEARD_AT_ONCE = 2;
const HEARD_AT_ONCE_THIN = 8;
/** Nodes that wait to be asked. Those that somebody named leave room for those that asked us. */
const HEARD_MAX = 64;
const NAMED_MAX = 16;
/** Between two lookups of our own id once we have joined. */
const REFRESH_MS = 15 * 60_000;
/** After a first lookup that brought too few nodes; doubled each time. */
const RETRY_FIRST_MS = 5000;
const RETRY_MAX_MS = 5 * 60_000;

/** What one step of upkeep asks for. */
interface UpkeepStep {
  /** Nodes to ask for nodes near a target: whether they live, and for what they know. */
  readonly ask: readonly { readonly to: Endpoint; readonly target: Uint8Array }[];
  readonly findSelf: boolean;
}

/**
 * Keeps a table alive: away -> joining -> joined, and back when every node has gone silent. Then it tries again, at first
 * after seconds and at last every five minutes, so that a machine that starts offline joins when it can (DHT-6).
 *
 * A silent node is asked for nodes of its bucket rather than pinged, which refreshes the bucket with the same packet.
 */
export class NodeUpkeep {
  readonly #random: Random;
  readonly #heard = new Map<string, Endpoint>();
  #phase: "away" | "joining" | "joined" = "away";
  #isReached = false;
  #nextMs: number;
  /** When our own id is looked up next. */
  #findSelfMs: number;
  #retryMs = RETRY_FIRST_MS;
  /** There was a reason for another lookup of our own id while one was under way. */
  #isHurried = false;

  constructor(options: { readonly random: Random; readonly now: number }) {
    this.#random = options.random;
    this.#nextMs = options.now;
    this.#findSelfMs = options.now;
  }

  get isJoined(): boolean {
    return this.#phase === "joined";
  }

  /** True from the first answer of anybody until everybody is silent. */
  get isReached(): boolean {
    return this.#isReached;
  }

  /** A node answered. */
  handleAnswer(): void {
    this.#isReached = true;
  }

  /** When the next step is due. */
  get nextMs(): number {
    return this.#nextMs;
  }

  isDue(now: number): boolean {
    return now >= this.#nextMs;
  }

  /** Looks our own id up with the next step: there are new nodes to begin with, or the id is another one. */
  hurry(now: number): void {
    this.#isHurried = true;
    this.#findSelfMs = now;
    this.#nextMs = Math.min(this.#nextMs, now);
    this.#retryMs = RETRY_FIRST_MS;
  }

  /**
   * A node that may be worth asking.
   *
   * @param how - `asked`: it asked us something. `named`: somebody named it, and may have made it up.
   */
  hear(endpoint: Endpoint, how: "asked" | "named"): void {
    const most = how === "asked" ? HEARD_MAX : NAMED_MAX;
    if (this.#heard.size < most) this.#heard.set(endpointKey(endpoint), endpoint);
  }

  next(table: RoutingTable, now: number): UpkeepStep {
    const stepMs = isThin(table) ? STEP_THIN_MS : STEP_MS;
    // Chance keeps many nodes that began together from asking together.
    this.#nextMs = now + stepMs / 2 + this.#random.below(stepMs);
    const findSelf = this.#phase !== "joining" && now >= this.#findSelfMs;
    if (findSelf) {
      if (this.#phase === "away") this.#phase = "joining";
      this.#isHurried = false;
      this.#findSelfMs = now + REFRESH_MS;
    }
    return { ask: [...this.#askSilent(table, now), ...this.#askHeard(table)], findSelf };
  }

  /** The lookup of our own id is over. @param isAnswered - Somebody answered. */
  handleFoundSelf(table: RoutingTable, isAnswered: boolean, now: number): void {
    this.#phase = isAnswered ? "joined" : "away";
    this.#isReached = isAnswered;
    if (this.#isHurried) {
      this.#findSelfMs = now;
    } else if (isAnswered && !isThin(table)) {
      this.#findSelfMs = now + REFRESH_MS / 2 + this.#random.below(REFRESH_MS);
      this.#retryMs = RETRY_FIRST_MS;
    } else {
      this.#findSelfMs = now + this.#retryMs;
      this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    }
    this.#nextMs = Math.min(this.#nextMs, this.#findSelfMs);
  }

  *#askSilent(table: RoutingTable, now: number): Iterable<{ to: Endpoint; target: Uint8Array }> {
    const node = table.mostSilent(now);
    if (!node) return;
    const bits = sharedBits(table.ownId, node.contact.id);
    const target = randomIdNear(table.ownId, bits, { random: this.#random, orMore: false });
    yield { to: node.contact.endpoint, target };
  }

  *#askHeard(table: RoutingTable): Iterable<{ to: Endpoint; target: Uint8Array }> {
    let left = isThin(table) ? HEARD_AT_ONCE_THIN : HEARD_AT_ONCE;
    for (const [key, to] of this.#heard) {
      if (left === 0) return;
      this.#heard.delete(key);
      left -= 1;
      // Any target will do: nodes near us are found by looking our own id up, and these fill the rest of the table.
      yield { to, target: this.#random.bytes(NODE_ID_BYTES) };
    }
  }
}

function isThin(table: RoutingTable): boolean {
  return table.size < THIN_NODES;
}
