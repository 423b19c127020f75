import { toHex } from "../../src/base/bytes.ts";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { CatalogueAnnouncer } from "../../src/dht/catalogue-announcer.ts";
import { Dht } from "../../src/dht/dht.ts";
import { makeSecureId } from "../../src/dht/secure-id.ts";
import { encodeState } from "../../src/dht/saved-state.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { Simulation } from "../../src/sim/simulation.ts";
import { VirtualNetwork } from "./virtual-network.ts";

/** Of the machine that announces. */
const OWN: Endpoint = { address: "95.1.2.3", port: 8421 };
const PORT = 8421;

export interface CatalogueWorldOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly queriesPerSecond: number;
  readonly deadPerMille?: number;
  readonly insecurePerMille?: number;
  readonly countsCpu?: boolean;
}

/** An infohash with what happened to it. */
interface Told {
  /** The times at which rounds of announces of it began, by the first node that took one. */
  readonly timesMs: number[];
  nodes: Set<number>;
  isSeed: boolean;
}

/** A catalogue, announced by our own code in a network that is computed, in simulated time. */
export class CatalogueWorld {
  readonly simulation = new Simulation();
  readonly random;
  readonly network: VirtualNetwork;
  readonly dht: Dht;
  readonly announcer: CatalogueAnnouncer;
  /** By infohash, in hexadecimal. */
  readonly told = new Map<string, Told>();
  /** Packets that our machine sent, by second. */
  readonly sentIn: number[] = [];
  /** CPU that our own code took, in milliseconds of this thread; counted when the world is told to. */
  ownMs = 0;
  readonly #countsCpu: boolean;
  #depth = 0;

  constructor(options: CatalogueWorldOptions) {
    const { simulation } = this;
    this.#countsCpu = options.countsCpu ?? false;
    const { seed, nodes, queriesPerSecond, deadPerMille = 100, insecurePerMille = 100 } = options;
    this.random = seededRandom(seed);
    this.network = new VirtualNetwork({
      simulation,
      seed,
      nodes,
      deadPerMille,
      insecurePerMille,
      latencyMs: 60,
    });
    this.network.onTaken = ({ infohash, node, atMs, seed: isSeed }) => {
      const told = this.told.get(infohash) ?? { timesMs: [], nodes: new Set<number>(), isSeed };
      this.told.set(infohash, told);
      told.isSeed = isSeed;
      // Announces of one round are seconds apart.
      if (atMs - (told.timesMs.at(-1) ?? Number.NEGATIVE_INFINITY) > 60_000) {
        told.timesMs.push(atMs);
        told.nodes = new Set();
      }
      told.nodes.add(node);
    };
    const clock: Clock = {
      nowMs: () => simulation.nowMs(),
      wallMs: () => simulation.wallMs(),
      startTimer: (delayMs, fire) => simulation.startTimer(delayMs, () => this.#measure(fire)),
    };
    const address = Uint8Array.from(OWN.address.split("."), Number);
    const id = makeSecureId(address, this.random);
    this.dht = new Dht({
      clock,
      random: seededRandom(seed + 1),
      signatures: new NodeSignatures(),
      families: [4],
      send: (packet, to) => this.#send(packet, to),
      state: encodeState(new Map([[4, { id, outer: OWN.address, contacts: [] }]])),
      bootstrap: this.network.bootstrap,
      settings: { queriesPerSecond: queriesPerSecond + 100, lookupsMax: 512 },
    });
    this.announcer = new CatalogueAnnouncer({
      dht: this.dht,
      clock,
      port: () => PORT,
      queriesPerSecond,
    });
  }

  /** A random infohash. */
  infohash(): Uint8Array {
    return this.random.bytes(20);
  }

  /** Adds torrents, and begins. */
  begin(torrents: number): Uint8Array[] {
    const infohashes = Array.from({ length: torrents }, () => this.infohash());
    for (const v1 of infohashes) this.announcer.add({ v1 });
    this.#measure(() => this.announcer.start());
    return infohashes;
  }

  timesOf(infohash: Uint8Array): readonly number[] {
    return this.told.get(toHex(infohash))?.timesMs ?? [];
  }

  /** How many of the eight nodes closest to an infohash took its last announce. */
  closestTold(infohash: Uint8Array): number {
    const told = this.told.get(toHex(infohash));
    return this.network.closest(infohash, 8).filter((node) => told?.nodes.has(node)).length;
  }

  #send(packet: Uint8Array, to: Endpoint): void {
    const second = Math.floor(this.simulation.nowMs() / 1000);
    this.sentIn[second] = (this.sentIn[second] ?? 0) + 1;
    const beginMs = this.#cpuMs();
    this.network.receive(packet, to, OWN, (answer) =>
      this.#measure(() => this.dht.receive(answer, to)),
    );
    if (this.#depth > 0) this.ownMs -= this.#cpuMs() - beginMs;
  }

  /** Adds the time of our own code; what it calls of the network is taken out. */
  #measure(work: () => void): void {
    const beginMs = this.#depth === 0 ? this.#cpuMs() : 0;
    this.#depth += 1;
    try {
      work();
    } finally {
      this.#depth -= 1;
      if (this.#depth === 0) this.ownMs += this.#cpuMs() - beginMs;
    }
  }

  #cpuMs(): number {
    if (!this.#countsCpu) return 0;
    const { user, system } = process.threadCpuUsage();
    return (user + system) / 1000;
  }
}
