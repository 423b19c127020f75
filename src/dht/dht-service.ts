import type { Endpoint } from "../base/endpoint.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { DatagramNet, DatagramSocket } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import type { Signatures } from "../ports/signatures.ts";
import { familyOf } from "./contact.ts";
import { DhtError } from "./dht-error.ts";
import type { DhtNodeSettings } from "./dht-node.ts";
import { Dht, type DhtOptions } from "./dht.ts";

/** Between two looks at the names of bootstrap nodes, as long as no network is joined. */
const RESOLVE_MS = 60_000;
/** Between two savings of the state. */
const SAVE_MS = 5 * 60_000;

/** A host, by name or address, and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface DhtServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly signatures: Signatures;
  readonly datagrams: DatagramNet;
  readonly log: Log;
  /** A socket on "::" takes both families, any other one. Left out where the network has one port for several protocols. */
  readonly listen?: HostPort | undefined;
  readonly bootstrap: readonly HostPort[];
  /** Nodes of an earlier run, to begin with as well. */
  readonly known?: readonly Endpoint[] | undefined;
  readonly settings?: Partial<DhtNodeSettings> | undefined;
  readonly isKeptAway?: DhtOptions["isKeptAway"];
  /** What `save` was given by an earlier run. */
  readonly state?: Uint8Array | undefined;
  /** Is given the state every five minutes, and at the end. */
  readonly save?: ((state: Uint8Array) => void) | undefined;
}

const ANYWHERE: HostPort = { host: "::", port: 0 };

/** The DHT on a socket: names are resolved, and the state is saved. */
export class DhtService {
  readonly dht: Dht;
  readonly local: Endpoint;
  readonly #options: DhtServiceOptions;
  readonly #socket: DatagramSocket;
  #resolveTimer: Timer | undefined;
  #saveTimer: Timer | undefined;
  #isClosed = false;

  private constructor(options: DhtServiceOptions, socket: DatagramSocket, dht: Dht) {
    this.#options = options;
    this.#socket = socket;
    this.local = socket.local;
    this.dht = dht;
    void this.#resolve();
    this.#saveLater();
  }

  /** @throws (rejects with) an error that carries `code`, for instance `EADDRINUSE`. */
  static async start(options: DhtServiceOptions): Promise<DhtService> {
    const { host, port } = options.listen ?? ANYWHERE;
    // Packets that come before the nodes are there are lost, as packets are.
    let receive: (packet: Uint8Array, from: Endpoint) => void = () => undefined;
    const socket = await options.datagrams.bind({
      host,
      port,
      receive: (packet, from) => receive(packet, from),
    });
    const { address } = socket.local;
    const families = address === "::" ? ([4, 6] as const) : [familyOf(address)];
    const send = (packet: Uint8Array, to: Endpoint): void => socket.send(packet, to);
    const dht = makeDht(
      { ...options, families, send, bootstrap: options.known ?? [] },
      options.log,
    );
    receive = (packet, from) => dht.receive(packet, from);
    return new DhtService(options, socket, dht);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#resolveTimer?.cancel();
    this.#saveTimer?.cancel();
    this.#options.save?.(this.dht.save());
    this.dht.close();
    this.#socket.close();
  }

  /** Resolves the names of bootstrap nodes, again and again until a network is joined. */
  async #resolve(): Promise<void> {
    const { bootstrap, datagrams, clock } = this.#options;
    const found = await Promise.all(
      bootstrap.map(async ({ host, port }) =>
        (await datagrams.resolve(host)).map((address) => ({ address, port })),
      ),
    );
    if (this.#isClosed) return;
    this.dht.addBootstrap(found.flat());
    this.#resolveTimer = clock.startTimer(RESOLVE_MS, () => {
      if (!this.dht.isJoined) void this.#resolve();
    });
  }

  #saveLater(): void {
    const { clock, save } = this.#options;
    if (!save) return;
    this.#saveTimer = clock.startTimer(SAVE_MS, () => {
      save(this.dht.save());
      this.#saveLater();
    });
  }
}

/** A state that cannot be read is no reason not to start: bootstrap nodes are left. */
function makeDht(options: DhtOptions, log: Log): Dht {
  try {
    return new Dht(options);
  } catch (error) {
    if (!(error instanceof DhtError)) throw error;
    const cause = error.message;
    log.warn("The saved state of the DHT cannot be read. The DHT starts without it.", { cause });
    return new Dht({ ...options, state: undefined });
  }
}
