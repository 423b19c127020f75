import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Endpoint } from "../../src/base/endpoint.ts";
import { tcpAddress } from "../../src/base/peer-address.ts";
import type { HttpFetch, HttpReply, PeerTransport } from "../../src/ports/net.ts";
import type {
  CommandDisk,
  DiskPorts,
  SessionPorts,
  SourcePorts,
} from "../../src/commands/command-ports.ts";
import { Dht } from "../../src/dht/dht.ts";
import { OwnNetworks } from "../../src/guard/own-networks.ts";
import { NodeSignatures } from "../../src/platform/node-signatures.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { SimKeyExchange } from "../../src/sim/sim-key-exchange.ts";
import { seededRandom } from "../../src/sim/seeded-random.ts";
import { simDatagramNet } from "../../src/sim/sim-datagram-net.ts";
import { SimDatagrams } from "../../src/sim/sim-datagrams.ts";
import { SimDisk } from "../../src/sim/sim-disk.ts";
import { SimMeasure } from "../../src/sim/sim-measure.ts";
import { type SimHost, SimNet } from "../../src/sim/sim-net.ts";
import { SimSlabs } from "../../src/sim/sim-slabs.ts";
import { SimWeb, type SimWebOptions } from "../../src/sim/sim-web.ts";
import { SimUserFiles } from "../../src/sim/sim-user-files.ts";
import { Simulation } from "../../src/sim/simulation.ts";

const MIB = 1024 * 1024;
const LINK = { upBytesPerSecond: MIB, downBytesPerSecond: 8 * MIB, latencyMs: 15 };

/** Where a machine gets its datagrams when it does not care. */
const FREE_PORT = 40_000;

/** The working directory in the simulation; relative paths begin there. */
export const HOME = "/home/ann";

type CommandWorld = SourcePorts & DiskPorts & SessionPorts;

/** One machine on which commands run, with a disk, a line, and a user's files. */
export interface CommandMachine {
  readonly disk: SimDisk;
  readonly files: SimUserFiles;
  readonly host: SimHost;
  readonly ports: CommandWorld;
}

/** A world in which commands run from start to end, in simulated time and from one seed. */
export class SimulatedWorld {
  readonly simulation = new Simulation();
  readonly #net = new SimNet({ simulation: this.simulation });
  readonly #datagrams: SimDatagrams;
  readonly #seed: number;
  /** Answers of the tracker; without them nothing on the web replies. */
  tracker: ((url: URL) => Uint8Array) | undefined;
  /** Answers of web seeds; without them there are none. */
  webSeed: SimWebOptions["answer"] = () => undefined;
  #machines = 0;

  constructor(seed: number) {
    this.#seed = seed;
    const { simulation } = this;
    const random = seededRandom(seed);
    this.#datagrams = new SimDatagrams({ simulation, random, latencyMs: 15, lossPerMille: 0 });
  }

  /** A DHT node that others begin with. */
  dhtNode(endpoint: Endpoint): Dht {
    const dht: Dht = new Dht({
      clock: this.simulation,
      random: seededRandom(this.#seed),
      signatures: new NodeSignatures(),
      families: [4],
      send: (packet, to) => socket.send(packet, to),
    });
    const socket = this.#datagrams.open(endpoint, (packet, from) => dht.receive(packet, from));
    return dht;
  }

  machine(): CommandMachine {
    this.#machines += 1;
    const { simulation } = this;
    const host = this.#net.createHost(`9.0.0.${this.#machines}`, LINK);
    const disk = new SimDisk({ simulation });
    const files = new SimUserFiles(disk);
    const ports: CommandWorld = {
      clock: simulation,
      random: seededRandom(this.#seed + this.#machines),
      keyExchange: new SimKeyExchange(),
      files,
      openFetch: async () => assert.fail("no URL is named"),
      openDisk: () => openDisk(disk),
      openTcp: (allowRemote) => guardedTcp(host, allowRemote),
      guardTransports: (transports) => transports,
      datagrams: {
        bind: ({ port, receive }) => {
          const place = { host: host.address, port: port || FREE_PORT };
          return simDatagramNet(simulation, this.#datagrams).bind({ ...place, receive });
        },
        resolve: async (name) => [name],
      },
      multicast: { join: () => Promise.reject(new Error("nothing is heard on a link here")) },
      makeFetch: () => this.#web(),
      openRangeLine: () => {
        const line = { simulation, client: host, bytesPerSecond: MIB, latencyMs: 15 };
        return new SimWeb({ ...line, answer: (request) => this.webSeed(request) }).open();
      },
      networks: new OwnNetworks(
        () => [],
        () => simulation.nowMs(),
      ),
      signatures: new NodeSignatures(),
      log: SILENT_LOG,
    };
    return { disk, files, host, ports };
  }

  /** Advances the world until a command ends, and a little longer so that leftovers would show. */
  run<Result>(command: Promise<Result>, limitMs: number): Promise<Result> {
    return this.simulation.settle(command, { limitMs, turn: () => setImmediate() });
  }

  /** A signal that fires after this much simulated time. */
  signalAfter(ms: number): AbortSignal {
    const controller = new AbortController();
    this.simulation.startTimer(ms, () => controller.abort(new Error("the person ends it")));
    return controller.signal;
  }

  #web(): HttpFetch {
    return {
      get: (url) =>
        new Promise<HttpReply>((resolve, reject) => {
          this.simulation.startTimer(30, () => {
            const body = this.tracker?.(new URL(url));
            if (body) resolve({ status: 200, body, from: "9.9.9.9" });
            else reject(new Error("nobody replies"));
          });
        }),
    };
  }
}

export const NEVER = new AbortController().signal;

function openDisk(disk: SimDisk): CommandDisk {
  const hasher = new SimMeasure(disk);
  return {
    open: (layout) => disk.open(layout),
    measure: (options) => hasher.measure(options),
    createSlabPool: (limitBytes) => new SimSlabs(limitBytes),
    close: async () => undefined,
  };
}

/** A stranger's peers are dialled only when the guard allows it; a refused dial ends silently. */
function guardedTcp(
  host: SimHost,
  allowRemote: Parameters<SessionPorts["openTcp"]>[0],
): PeerTransport<"tcp"> {
  return {
    kind: "tcp",
    listen: (options) => host.listen(options),
    dial: (remote, handler, options) => {
      const nowhere = tcpAddress({ address: "9.255.255.255", port: 1 });
      return host.dial(allowRemote(remote.endpoint) ? remote : nowhere, handler, options);
    },
  };
}

/** Random bytes, the same for the same seed. */
export function someBytes(seed: number, length: number): Uint8Array {
  return seededRandom(seed).bytes(length);
}
