import { encodeCompact } from "../../src/base/endpoint.ts";
import { finish } from "../../src/base/work.ts";
import { dictOf, encode } from "../../src/bencode/encode.ts";
import { createTorrent } from "../../src/commands/create-torrent.ts";
import { TransferSession } from "../../src/commands/transfer-session.ts";
import { Session } from "../../src/engine/session.ts";
import { NetGuard } from "../../src/guard/net-guard.ts";
import { SILENT_LOG } from "../../src/ports/log.ts";
import { guardOutcomes } from "../../src/sim/outcome-guard.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";
import { TrackerClient } from "../../src/tracker-client/tracker-client.ts";
import type { TransferSettings } from "../../src/transfers/transfer-settings.ts";
import { Transfers } from "../../src/transfers/transfers.ts";
import type { SeededTorrents } from "../../src/transfers/transfers-options.ts";
import {
  type CommandMachine,
  HOME,
  NEVER,
  SimulatedWorld,
  someBytes,
} from "../commands/simulated-world.ts";

export const PORT = 6881;
export const TRACKER = "http://tracker.example/announce";
export const DOWNLOADS = `${HOME}/downloads`;
const MEMORY = 8 * 1024 * 1024;
const STATE = `${HOME}/state`;

/** One run of a node on a machine: what a restart replaces. */
export interface NodeRun {
  readonly machine: CommandMachine;
  readonly store: Store;
  readonly session: Session;
  readonly transfers: Transfers;
  stop(): Promise<void>;
}

/** A world of machines with nodes, in simulated time. */
export class TransfersWorld {
  readonly world: SimulatedWorld;
  readonly announces: URL[] = [];
  readonly #nodes: CommandMachine[] = [];

  constructor(seed: number) {
    this.world = new SimulatedWorld(seed);
    // The tracker names every node that there is.
    this.world.tracker = (url) => {
      this.announces.push(url);
      const compact = this.#nodes.flatMap(({ host }) => [
        ...encodeCompact({ address: host.address, port: PORT }),
      ]);
      return encode(dictOf({ interval: 1800, peers: new Uint8Array(compact) }));
    };
  }

  machine(): CommandMachine {
    return this.world.machine();
  }

  run<Result>(work: Promise<Result>, limitMs = 600_000): Promise<Result> {
    return this.world.run(work, limitMs);
  }

  /** Lets time pass. */
  pass(ms: number): Promise<void> {
    return this.run(
      new Promise((resolve) => {
        this.world.simulation.startTimer(ms, () => resolve());
      }),
      ms + 1,
    );
  }

  /** Lets time pass until something holds. */
  async until(what: string, holds: () => Promise<boolean>, limitMs = 600_000): Promise<void> {
    const endMs = this.world.simulation.nowMs() + limitMs;
    while (!(await this.run(holds()))) {
      if (this.world.simulation.nowMs() > endMs)
        throw new Error(`not within ${limitMs} ms: ${what}`);
      await this.pass(500);
    }
  }

  /** Starts a node. @param store - What an earlier run remembers. */
  async node(
    machine: CommandMachine,
    {
      store,
      settings,
      seeds,
      hardLinks,
    }: {
      store?: Store;
      settings?: Partial<TransferSettings>;
      seeds?: SeededTorrents;
      hardLinks?: boolean;
    } = {},
  ): Promise<NodeRun> {
    if (!this.#nodes.includes(machine)) this.#nodes.push(machine);
    const kept = store ?? (await openStore(":memory:"));
    const { ports, host } = machine;
    const { clock, random } = ports;
    const disk = ports.openDisk();
    const session = new Session({
      ports: guardOutcomes({
        clock,
        random,
        transports: [host.transport("tcp")],
        content: disk,
        receiveSlabs: disk.createSlabPool(MEMORY),
        sendSlabs: disk.createSlabPool(MEMORY),
        log: SILENT_LOG,
      }),
      wake: (infohash) => transfers.wake(infohash),
    });
    await this.run(session.listen({ host: host.address, port: PORT }));
    const guard = new NetGuard(ports);
    const { http, datagrams } = guard;
    const trackers = new TrackerClient({ clock, random, http, datagrams, log: SILENT_LOG });
    const files = machine.files.below();
    const transfers = new Transfers({
      transfers: kept.transfers,
      settings: kept.settings,
      engine: new TransferSession({
        session,
        guard,
        trackers,
        sources: async () => [],
        extensions: [],
        clock,
        setLimits: (limits) => session.setLimits(limits),
      }),
      hasher: disk,
      files,
      stateFolder: STATE,
      content: files,
      contents: kept.transferContents,
      contentBelow: (root) => machine.files.below(root),
      hardLinks,
      downloadFolder: DOWNLOADS,
      clock,
      log: SILENT_LOG,
      run: async (work) => finish(work),
      matchesGlob: (path, pattern) => machine.files.matchesGlob(path, pattern),
      timeZone: "UTC",
      seeds,
    });
    if (settings) await transfers.setSettings(settings);
    await this.run(transfers.begin());
    return {
      machine,
      store: kept,
      session,
      transfers,
      stop: async () => {
        await this.run(transfers.close());
        await this.run(session.close());
        trackers.close();
      },
    };
  }

  /** A torrent of a folder with several files, given by their paths and sizes. */
  async torrentOf(
    machine: CommandMachine,
    sizes: Readonly<Record<string, number>>,
    options: { readonly name?: string; readonly kind?: "v1" | "v2" | "hybrid" } = {},
  ): Promise<{ readonly bytes: Uint8Array; readonly contents: ReadonlyMap<string, Uint8Array> }> {
    const { name = "talks", kind = "v1" } = options;
    const contents = new Map(
      Object.entries(sizes).map(([path, size], index) => [path, someBytes(index + size, size)]),
    );
    for (const [path, bytes] of contents) machine.disk.put(`${HOME}/${name}/${path}`, bytes);
    return { bytes: await this.#create(machine, `${HOME}/${name}`, kind), contents };
  }

  /** A torrent of a folder with one file, and the .torrent's bytes. */
  async torrent(
    machine: CommandMachine,
    options: {
      readonly name?: string;
      readonly size?: number;
      readonly kind?: "v1" | "v2" | "hybrid";
      readonly folder?: string;
      /** Instead of one: by their paths below the folder. */
      readonly files?: Readonly<Record<string, Uint8Array>>;
    } = {},
  ): Promise<{ readonly bytes: Uint8Array; readonly content: Uint8Array; readonly path: string }> {
    const { name = "talks", size = 400_000, kind = "v1", folder = HOME } = options;
    const { files = { "tides.bin": someBytes(name.length + size, size) } } = options;
    for (const [below, bytes] of Object.entries(files)) {
      machine.disk.put(`${folder}/${name}/${below}`, bytes);
    }
    const [[first, content]] = Object.entries(files) as [[string, Uint8Array]];
    const path = `${folder}/${name}/${first}`;
    return { bytes: await this.#create(machine, `${folder}/${name}`, kind), content, path };
  }

  /** @returns The bytes of a .torrent of what is there. */
  async #create(
    machine: CommandMachine,
    path: string,
    kind: "v1" | "v2" | "hybrid",
  ): Promise<Uint8Array> {
    const making = createTorrent(machine.ports, {
      path,
      overwrite: true,
      kind,
      pieceLength: 65_536,
      trackers: [[TRACKER]],
      dated: false,
      onEvent: () => undefined,
      signal: NEVER,
    });
    const { file } = await this.run(making);
    const place = machine.files.absolute(file);
    const { bytes } = machine.disk.find(place)!;
    machine.disk.remove(place);
    return bytes;
  }
}
