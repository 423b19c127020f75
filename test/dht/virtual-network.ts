import { toHex, writeUint32 } from "../../src/base/bytes.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { getBytes, getInteger } from "../../src/bencode/bencode-value.ts";
import { type Contact, encodeContacts } from "../../src/dht/contact.ts";
import { encodeFailure, encodeReply, type KrpcFields } from "../../src/dht/encode-krpc.ts";
import { decodeKrpc, type KrpcQuery } from "../../src/dht/krpc.ts";
import { compareDistance, sharedBits } from "../../src/dht/node-id.ts";
import { makeSecureId } from "../../src/dht/secure-id.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import type { Simulation } from "../../src/sim/simulation.ts";

const ID_BYTES = 20;
const BUCKET = 8;
/** Tokens are good for this long, and for as long again (BEP 5). */
const TOKEN_MS = 5 * 60_000;

export interface VirtualNetworkOptions {
  readonly simulation: Simulation;
  readonly seed: number;
  readonly nodes: number;
  /** Nodes that never answer, in a thousand; tables of the world name many. */
  readonly deadPerMille: number;
  /** Nodes whose ids do not fit their addresses, in a thousand. */
  readonly insecurePerMille: number;
  readonly latencyMs: number;
}

/** An announce that a node took. */
export interface TakenAnnounce {
  readonly infohash: string;
  readonly node: number;
  readonly atMs: number;
  readonly seed: boolean;
}

/**
 * A network of as many nodes as there are in the world, of which none exists: what a node answers is computed from the ids of
 * all. Like a real one it knows every node near itself, and eight of each bucket farther away.
 */
export class VirtualNetwork {
  readonly #options: VirtualNetworkOptions;
  readonly #random;
  /** Of each node, by its rank among the ids. */
  readonly #ids: Uint8Array;
  /** The node of a rank, and the rank of a node. Its address has its number. */
  readonly #nodeAt: Uint32Array;
  readonly #rankOf: Uint32Array;
  readonly #dead: Uint8Array;
  /** Is told of each announce that is taken. */
  onTaken: (taken: TakenAnnounce) => void = () => undefined;
  /** Packets and bytes that arrived here, and that were sent back. */
  readonly received = { packets: 0, bytes: 0 };
  readonly sent = { packets: 0, bytes: 0 };
  readonly methods = new Map<string, number>();
  isOnline = true;

  constructor(options: VirtualNetworkOptions) {
    this.#options = options;
    const random = (this.#random = seededRandom(options.seed));
    const { nodes, deadPerMille, insecurePerMille } = options;
    const ids = new Uint8Array(nodes * ID_BYTES);
    const keys = new BigUint64Array(nodes);
    this.#dead = new Uint8Array(nodes);
    for (let node = 0; node < nodes; node += 1) {
      const isSecure = random.below(1000) >= insecurePerMille;
      const id = isSecure ? makeSecureId(addressOf(node), random) : random.bytes(ID_BYTES);
      ids.set(id, node * ID_BYTES);
      // Forty-four bits order a million ids, and the rest is the number of the node.
      const head = new DataView(id.buffer, id.byteOffset).getBigUint64(0);
      keys[node] = ((head >> 20n) << 20n) | BigInt(node);
      // The first nodes are those to begin with.
      if (node >= 16 && random.below(1000) < deadPerMille) this.#dead[node] = 1;
    }
    keys.sort();
    this.#ids = new Uint8Array(nodes * ID_BYTES);
    this.#nodeAt = new Uint32Array(nodes);
    this.#rankOf = new Uint32Array(nodes);
    for (const [rank, key] of keys.entries()) {
      const node = Number(key & 0xfffffn);
      this.#nodeAt[rank] = node;
      this.#rankOf[node] = rank;
      this.#ids.set(ids.subarray(node * ID_BYTES, (node + 1) * ID_BYTES), rank * ID_BYTES);
    }
  }

  /** Endpoints of a few nodes that live. */
  get bootstrap(): Endpoint[] {
    return Array.from({ length: 8 }, (_, node) => endpointOf(node));
  }

  /**
   * Takes a packet to one of the nodes.
   *
   * @param reply - Is called with the answer, later.
   */
  receive(packet: Uint8Array, to: Endpoint, from: Endpoint, reply: (packet: Uint8Array) => void) {
    this.received.packets += 1;
    this.received.bytes += packet.length;
    const node = nodeOf(to);
    if (!this.isOnline || node >= this.#options.nodes || this.#dead[node] === 1) return;
    const query = decodeKrpc(packet);
    if (query.kind !== "query") return;
    this.methods.set(query.method, (this.methods.get(query.method) ?? 0) + 1);
    const answer = this.#answer(node, query, from);
    const { simulation, latencyMs } = this.#options;
    this.sent.packets += 1;
    this.sent.bytes += answer.length;
    const delayMs = latencyMs + this.#random.below(latencyMs * 2);
    simulation.startTimer(delayMs, () => {
      if (this.isOnline) reply(answer);
    });
  }

  /** The living nodes closest to a target, by number. */
  closest(target: Uint8Array, count: number): number[] {
    const rank = this.#firstFrom(target);
    const near: number[] = [];
    for (let at = rank - 64; at < rank + 64; at += 1) {
      const node = this.#nodeAt[at];
      if (node !== undefined && this.#dead[node] === 0) near.push(at);
    }
    return near
      .toSorted((a, b) => compareDistance(target, this.#idAt(a), this.#idAt(b)))
      .slice(0, count)
      .map((at) => this.#nodeAt[at]!);
  }

  #answer(node: number, { transaction, method, args }: KrpcQuery, to: Endpoint): Uint8Array {
    const id = this.#idAt(this.#rankOf[node]!);
    const reply = (results: KrpcFields): Uint8Array =>
      encodeReply({ transaction, to, results: { id, ...results } });
    const target = getBytes(args, "target") ?? getBytes(args, "info_hash") ?? id;
    switch (method) {
      case "find_node":
        return reply({ nodes: this.#nodesFor(node, target) });
      case "get_peers":
        return reply({ nodes: this.#nodesFor(node, target), token: this.#token(node, 0) });
      case "announce_peer": {
        const token = toHex(getBytes(args, "token") ?? new Uint8Array(0));
        if (![0, 1].some((age) => token === toHex(this.#token(node, age)))) {
          return encodeFailure({ transaction, code: 203, text: "bad token" });
        }
        const atMs = this.#options.simulation.nowMs();
        const seed = getInteger(args, "seed") === 1;
        this.onTaken({ infohash: toHex(target), node, atMs, seed });
        return reply({});
      }
      default:
        return reply({});
    }
  }

  /** Secrets of all nodes change together, which is as bad for us as it can be. */
  #token(node: number, age: number): Uint8Array {
    const period = Math.floor(this.#options.simulation.nowMs() / TOKEN_MS) - age;
    const token = new Uint8Array(8);
    writeUint32(token, 0, node);
    writeUint32(token, 4, period + 1);
    return token;
  }

  /** The eight nodes closest to the target that a node knows. */
  #nodesFor(node: number, target: Uint8Array): Uint8Array {
    const own = this.#rankOf[node]!;
    const bits = sharedBits(this.#idAt(own), target);
    const [first, end] = this.#subtree(target, bits + 1);
    const ranks = new Set<number>();
    if (end - first <= 2 * BUCKET) for (let at = first; at < end; at += 1) ranks.add(at);
    else {
      // The same ones each time: they are what its bucket holds.
      const chosen = seededRandom(node * 256 + bits);
      for (let i = 0; i < BUCKET; i += 1) ranks.add(first + chosen.below(end - first));
    }
    for (let at = own - BUCKET; at <= own + BUCKET; at += 1) {
      if (at >= 0 && at < this.#options.nodes && at !== own) ranks.add(at);
    }
    const contacts: Contact[] = [...ranks]
      .toSorted((a, b) => compareDistance(target, this.#idAt(a), this.#idAt(b)))
      .slice(0, BUCKET)
      .map((at) => ({ id: this.#idAt(at), endpoint: endpointOf(this.#nodeAt[at]!) }));
    return encodeContacts(contacts, 4);
  }

  /** The ranks of the ids that begin with this many bits of the target. */
  #subtree(target: Uint8Array, bits: number): [first: number, end: number] {
    const low = Uint8Array.from(target);
    const high = Uint8Array.from(target);
    for (let bit = bits; bit < ID_BYTES * 8; bit += 1) {
      low[bit >> 3]! &= ~(0x80 >> (bit & 7));
      high[bit >> 3]! |= 0x80 >> (bit & 7);
    }
    return [this.#firstFrom(low), this.#firstFrom(high)];
  }

  #firstFrom(id: Uint8Array): number {
    let low = 0;
    let high = this.#options.nodes;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isBefore(this.#ids, middle * ID_BYTES, id)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #idAt(rank: number): Uint8Array {
    return this.#ids.subarray(rank * ID_BYTES, (rank + 1) * ID_BYTES);
  }
}

function isBefore(ids: Uint8Array, start: number, id: Uint8Array): boolean {
  for (let i = 0; i < ID_BYTES; i += 1) {
    const difference = ids[start + i]! - id[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Addresses of the world, each in a network of its own: 11.x to 90.x. */
function addressOf(node: number): Uint8Array {
  return Uint8Array.of(11 + (node >> 16), (node >> 8) & 255, node & 255, 1);
}

function endpointOf(node: number): Endpoint {
  return { address: addressOf(node).join("."), port: 6881 };
}

function nodeOf({ address }: Endpoint): number {
  const [a = 0, b = 0, c = 0] = address.split(".").map(Number);
  return ((a - 11) << 16) | (b << 8) | c;
}
