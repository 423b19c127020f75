import { toHex } from "../src/base/bytes.ts";
import type { Endpoint } from "../src/base/endpoint.ts";
import { getBytes } from "../src/bencode/bencode-value.ts";
import { DhtService } from "../src/dht/dht-service.ts";
import { decodeKrpc } from "../src/dht/krpc.ts";
import { NodeClock } from "../src/platform/node-clock.ts";
import { NodeRandom } from "../src/platform/node-random.ts";
import { NodeSignatures } from "../src/platform/node-signatures.ts";
import { UdpNet } from "../src/platform/udp-net.ts";
import type { DatagramNet } from "../src/ports/net.ts";
import { SILENT_LOG } from "../src/ports/log.ts";

/** Who is measured calls from here; the nodes are elsewhere on this machine. */
const MEASURED = "127.0.0.1";
/** Of an IPv4 packet over UDP, beside its content. */
const HEAD_BYTES = 28;
/** Of joining, of a node. */
const JOIN_MS = 30_000;

/** What the measured program and the network have sent each other. */
export interface DhtTraffic {
  readonly queries: number;
  readonly outBytes: number;
  readonly inBytes: number;
  readonly announces: number;
  /** Different infohashes that were announced. */
  readonly infohashes: number;
}

/** A DHT of our own nodes on real sockets, each at an address of its own, that counts what one program costs it. */
export class DhtNetwork {
  readonly #nodes: DhtService[] = [];
  readonly #announced = new Set<string>();
  #queries = 0;
  #outBytes = 0;
  #inBytes = 0;
  #announces = 0;

  /** Resolves when all have joined. */
  static async open(nodes: number): Promise<DhtNetwork> {
    const network = new DhtNetwork();
    for (let number = 0; number < nodes; number += 1) {
      network.#nodes.push(await network.#openNode(`127.77.${number >> 6}.${(number & 63) + 1}`));
    }
    const endMs = performance.now() + JOIN_MS;
    while (nodes > 1 && !network.#nodes.every(({ dht }) => dht.isJoined)) {
      if (performance.now() > endMs) throw new Error("the nodes do not find each other");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return network;
  }

  /** A node to begin with. */
  get first(): string {
    const { address, port } = this.#nodes[0]!.local;
    return `${address}:${port}`;
  }

  /** Counts from now on. */
  reset(): void {
    this.#announced.clear();
    this.#queries = this.#outBytes = this.#inBytes = this.#announces = 0;
  }

  traffic(): DhtTraffic {
    return {
      queries: this.#queries,
      outBytes: this.#outBytes,
      inBytes: this.#inBytes,
      announces: this.#announces,
      infohashes: this.#announced.size,
    };
  }

  close(): void {
    for (const node of this.#nodes) node.close();
  }

  #openNode(host: string): Promise<DhtService> {
    const first = this.#nodes[0]?.local;
    return DhtService.start({
      clock: new NodeClock(),
      random: new NodeRandom(),
      signatures: new NodeSignatures(),
      datagrams: this.#counting(new UdpNet()),
      log: SILENT_LOG,
      listen: { host, port: 0 },
      bootstrap: first ? [{ host: first.address, port: first.port }] : [],
    });
  }

  #counting(udp: UdpNet): DatagramNet {
    return {
      resolve: (host) => udp.resolve(host),
      bind: async (options) => {
        const socket = await udp.bind({
          ...options,
          receive: (packet, from) => {
            this.#heard(packet, from);
            options.receive(packet, from);
          },
        });
        return {
          local: socket.local,
          send: (packet, to) => {
            if (to.address === MEASURED) this.#inBytes += packet.length + HEAD_BYTES;
            return socket.send(packet, to);
          },
          afterBurst: (fire) => socket.afterBurst(fire),
          close: () => socket.close(),
        };
      },
    };
  }

  #heard(packet: Uint8Array, from: Endpoint): void {
    if (from.address !== MEASURED) return;
    this.#outBytes += packet.length + HEAD_BYTES;
    const message = decodeKrpc(packet);
    if (message.kind !== "query") return;
    this.#queries += 1;
    if (message.method !== "announce_peer") return;
    this.#announces += 1;
    const infohash = getBytes(message.args, "info_hash");
    if (infohash) this.#announced.add(toHex(infohash));
  }
}
