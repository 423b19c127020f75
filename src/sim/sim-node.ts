import type { PeerAddress, TransportKind } from "../base/peer-address.ts";
import type {
  AddTorrent,
  EngineSettings,
  EngineTorrent,
  PeerDht,
  TorrentEvent,
} from "../engine/session-contract.ts";
import { Session } from "../engine/session.ts";
import type { StreamDecorators } from "../engine/stream-decorator.ts";
import { SILENT_LOG } from "../ports/log.ts";
import type { PeerTransport } from "../ports/net.ts";
import type { Random } from "../ports/random.ts";
import type { WebRanges } from "../ports/web-ranges.ts";
import { guardOutcomes } from "./outcome-guard.ts";
import { SimDisk } from "./sim-disk.ts";
import type { SimHost } from "./sim-net.ts";
import { SimSlabs } from "./sim-slabs.ts";
import { SimStore } from "./sim-store.ts";
import type { SimTorrent } from "./sim-torrent.ts";
import type { Simulation } from "./simulation.ts";

const MIB = 1024 * 1024;
const PORT = 6881;

export interface SimNodeOptions {
  readonly simulation: Simulation;
  readonly random: Random;
  readonly host: SimHost;
  readonly settings?: Partial<EngineSettings> | undefined;
  readonly diskBytesPerSecond?: number | undefined;
  readonly receiveBytes?: number | undefined;
  readonly sendBytes?: number | undefined;
  /** True when its content is in a store of bytes, which has no files, instead of on its disk. */
  readonly keepsBytes?: boolean | undefined;
  readonly decorators?: StreamDecorators | undefined;
  readonly dht?: PeerDht | undefined;
  /** Web servers that it can reach. */
  readonly webRanges?: WebRanges | undefined;
  /** TCP alone when left out. */
  readonly transports?: readonly [TransportKind, ...TransportKind[]] | undefined;
  /** What carries uTP in place of the simulated streams. */
  readonly utp?: PeerTransport<"utp"> | undefined;
  readonly opensRouters?: boolean | undefined;
  readonly onEvent: (event: TorrentEvent) => void;
}

/** A torrent in an engine, and all its events with their times. */
export interface SimRun {
  readonly torrent: EngineTorrent;
  readonly root: string;
  readonly events: readonly { readonly atMs: number; readonly event: TorrentEvent }[];
}

/** One machine of a swarm: a real engine between a simulated line and a simulated disk. */
export class SimNode {
  readonly session: Session;
  readonly disk: SimDisk;
  /** Used instead of the disk. */
  readonly store: SimStore | undefined;
  readonly host: SimHost;
  /** Over its first transport. */
  readonly address: PeerAddress;
  readonly receiveSlabs: SimSlabs;
  readonly sendSlabs: SimSlabs;
  readonly #options: SimNodeOptions;

  constructor(options: SimNodeOptions) {
    const { simulation, random, host } = options;
    this.#options = options;
    this.host = host;
    const transports = options.transports ?? ["tcp"];
    this.address = this.addressOver(transports[0]);
    this.disk = new SimDisk({ simulation, bytesPerSecond: options.diskBytesPerSecond });
    this.store = options.keepsBytes ? new SimStore(simulation) : undefined;
    this.receiveSlabs = new SimSlabs(options.receiveBytes ?? 16 * MIB);
    this.sendSlabs = new SimSlabs(options.sendBytes ?? 16 * MIB);
    this.session = new Session({
      ports: guardOutcomes({
        clock: simulation,
        random,
        transports: transports.map((kind) =>
          kind === "utp" && options.utp ? options.utp : host.transport(kind),
        ),
        content: this.store ?? this.disk,
        receiveSlabs: this.receiveSlabs,
        sendSlabs: this.sendSlabs,
        webRanges: options.webRanges,
        log: SILENT_LOG,
      }),
      settings: options.settings,
      decorators: options.decorators,
      dht: options.dht,
      opensRouters: options.opensRouters,
    });
  }

  addressOver(kind: TransportKind): PeerAddress {
    return this.host.addressOf(kind, PORT);
  }

  /** Await it while the simulation stands still. */
  async listen(): Promise<void> {
    await this.session.listen({ host: this.host.address, port: PORT });
  }

  /** True when the whole content is there. */
  seed(made: SimTorrent, options: Partial<AddTorrent> = {}): SimRun {
    if (this.store) this.store.put(`/${made.name}`, made.bytes);
    else this.disk.put(`/${made.name}/${made.name}`, made.bytes);
    return this.#add(made, { mode: "seed", existing: "own", ...options });
  }

  leech(made: SimTorrent, options: Partial<AddTorrent> = {}): SimRun {
    return this.#add(made, { mode: "download", ...options });
  }

  #add(made: SimTorrent, options: Partial<AddTorrent> & Pick<AddTorrent, "mode">): SimRun {
    const events: { atMs: number; event: TorrentEvent }[] = [];
    const root = `/${made.name}`;
    const torrent = this.session.add({
      from: { metainfo: made.metainfo },
      root,
      ...options,
      onEvent: (event) => {
        events.push({ atMs: this.#options.simulation.nowMs(), event });
        this.#options.onEvent(event);
      },
    });
    return { torrent, root, events };
  }
}
