import { formatAddress, type Endpoint } from "../../src/base/endpoint.ts";
import { writeUint32 } from "../../src/base/bytes.ts";
import { type Family, familyOf } from "../../src/dht/contact.ts";
import { Dht, type DhtOptions } from "../../src/dht/dht.ts";
import { makeSecureId } from "../../src/dht/secure-id.ts";
import { encodeState } from "../../src/dht/saved-state.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import type { Random } from "../../src/ports/random.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { SimDatagrams, type SimDatagramSocket } from "../../src/sim/sim-datagrams.ts";
import { Simulation } from "../../src/sim/simulation.ts";

export const signatures = new NodeSignatures();

export interface DhtWorldOptions {
  readonly seed: number;
  readonly latencyMs?: number;
  readonly lossPerMille?: number;
}

export interface JoinOptions extends Partial<Pick<DhtOptions, "bootstrap" | "state" | "settings">> {
  /** Chosen by chance when left out. */
  readonly endpoint?: Endpoint;
  /** Addresses of the machine besides that: one of the other family. */
  readonly others?: readonly Endpoint[];
  /** False while its packets go nowhere. */
  readonly isOnline?: () => boolean;
  /** True for a packet of its own that does not arrive. */
  readonly isLost?: (packet: Uint8Array) => boolean;
}

/** One machine of the world with a DHT. */
export interface DhtMachine {
  readonly dht: Dht;
  readonly endpoint: Endpoint;
  /** It is gone without a word, as machines go. */
  leave(): void;
}

/** A network of machines with addresses of the world, each in a network of its own, in simulated time. */
export class DhtWorld {
  readonly simulation = new Simulation();
  readonly random: Random;
  readonly datagrams: SimDatagrams;
  readonly machines = new Set<DhtMachine>();
  readonly #addresses = new Set<string>();

  constructor({ seed, latencyMs = 40, lossPerMille = 0 }: DhtWorldOptions) {
    this.random = seededRandom(seed);
    const { simulation, random } = this;
    this.datagrams = new SimDatagrams({ simulation, random, latencyMs, lossPerMille });
  }

  /** A new address of the world, of which no other shares the first 24 bits. */
  newAddress(): string {
    for (;;) {
      const bytes = this.random.bytes(4);
      // Of 11.x to 90.x all is world.
      bytes[0] = 11 + (bytes[0]! % 80);
      bytes[3] = 1;
      const address = formatAddress(bytes);
      if (this.#addresses.has(address)) continue;
      this.#addresses.add(address);
      return address;
    }
  }

  join(options: JoinOptions = {}): DhtMachine {
    const { others = [], isOnline = () => true, isLost = () => false, ...dhtOptions } = options;
    const endpoint = options.endpoint ?? { address: this.newAddress(), port: 6881 };
    const endpoints = [endpoint, ...others];
    const sockets = new Map<Family, SimDatagramSocket>();
    const dht: Dht = new Dht({
      clock: this.simulation,
      // Each machine draws from its own seed, so that an extra packet at one does not change the ids of another.
      random: seededRandom(this.random.below(2 ** 32)),
      signatures,
      send: (packet, to) => {
        if (isOnline() && !isLost(packet)) sockets.get(familyOf(to.address))?.send(packet, to);
      },
      families: endpoints.map(({ address }) => familyOf(address)),
      ...dhtOptions,
    });
    for (const local of endpoints) {
      const socket = this.datagrams.open(local, (packet, from) => {
        if (isOnline()) dht.receive(packet, from);
      });
      sockets.set(familyOf(local.address), socket);
    }
    const machine: DhtMachine = {
      dht,
      endpoint,
      leave: () => {
        for (const socket of sockets.values()) socket.close();
        dht.close();
        this.machines.delete(machine);
      },
    };
    this.machines.add(machine);
    return machine;
  }

  /** The state of a machine that has run before and knows its address (BEP 42). */
  stateAt(endpoint: Endpoint): Uint8Array {
    const address = Uint8Array.from(endpoint.address.split("."), Number);
    const id = makeSecureId(address, this.random);
    return encodeState(new Map([[4, { id, outer: endpoint.address, contacts: [] }]]));
  }

  /** A random infohash or target. */
  target(): Uint8Array {
    const target = new Uint8Array(20);
    for (let at = 0; at < 20; at += 4) writeUint32(target, at, this.random.below(2 ** 32));
    return target;
  }

  /** Lets something that tells its end by a callback happen. @throws When it takes longer than `limitMs`. */
  wait<Result>(begin: (onDone: (result: Result) => void) => unknown, limitMs = 60_000): Result {
    return this.waitAll([begin], limitMs)[0]!;
  }

  /** The same for several at once. @returns Their results in the order of their beginnings. */
  waitAll<Result>(
    begins: readonly ((onDone: (result: Result) => void) => unknown)[],
    limitMs = 60_000,
  ): Result[] {
    const results: Result[] = [];
    let left = begins.length;
    for (const [index, begin] of begins.entries()) {
      begin((result) => {
        results[index] = result;
        left -= 1;
      });
    }
    if (this.simulation.runUntil(() => left === 0, limitMs)) return results;
    throw new Error(`${left} are not done within ${limitMs} ms of simulated time`);
  }
}
