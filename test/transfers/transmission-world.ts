import assert from "node:assert/strict";
import { finish } from "../../src/base/work.ts";
import type { NodeWays, RpcNode } from "../../src/transmission-rpc/rpc-node.ts";
import { TransmissionRpc } from "../../src/transmission-rpc/transmission-rpc.ts";
import type { NodeRun, TransfersWorld } from "./transfers-world.ts";

/** What a program of Transmission's RPC is answered. */
export interface Answer {
  readonly result: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly tag?: unknown;
}

export type Torrent = Readonly<Record<string, unknown>>;

/** Transmission's RPC over a node of a simulated world, as a program calls it. */
export class RpcCaller {
  readonly rpc: TransmissionRpc;
  readonly #world: TransfersWorld;
  ways: NodeWays = {
    dht: true,
    lsd: false,
    pex: true,
    utp: true,
    portForwarding: false,
    encryption: "preferred",
    connectionsMax: 500,
  };
  wasReached = false;
  /** Why ways are not changed. */
  refusal: string | undefined;
  /** What URLs lead to. */
  readonly urls = new Map<string, Uint8Array>();

  constructor(world: TransfersWorld, { machine, transfers, store }: NodeRun) {
    this.#world = world;
    const node: RpcNode = {
      version: "1.2.3",
      peerPort: () => 6_881,
      stateFolder: "/home/state",
      connectionsPerTorrentMax: 80,
      filterLists: 0,
      memoryBytes: 64 * 1024 * 1024,
      ways: () => this.ways,
      changeWays: async (change) => {
        if (this.refusal === undefined) this.ways = { ...this.ways, ...change };
        return this.refusal;
      },
      wasReached: () => this.wasReached,
      space: async (folder) =>
        folder.startsWith("/away") ? undefined : { free: 5_000, total: 9_000 },
      openUrl: async (url) => ({ torrent: this.urls.get(url) ?? assert.fail(url) }),
    };
    this.rpc = new TransmissionRpc({
      transfers,
      settings: store.settings,
      node,
      clock: machine.ports.clock,
      run: async (work) => finish(work),
      sessionId: "the session",
    });
  }

  /** Sends a request as it is. */
  async send(text: string): Promise<Answer> {
    return JSON.parse(await this.#world.run(this.rpc.handle(text))) as Answer;
  }

  /** Sends a request that succeeds. */
  async call(method: string, args?: object): Promise<Answer["arguments"]> {
    const answer = await this.send(JSON.stringify({ method, arguments: args }));
    assert.equal(answer.result, "success", `${method} ${JSON.stringify(args)}`);
    return answer.arguments;
  }

  /** Sends a request that is refused. @returns The words. */
  async refused(method: string, args?: object): Promise<string> {
    const answer = await this.send(JSON.stringify({ method, arguments: args }));
    assert.notEqual(answer.result, "success", `${method} ${JSON.stringify(args)}`);
    assert.deepEqual(answer.arguments, {});
    return answer.result;
  }

  async torrents(fields: readonly string[], ids?: unknown): Promise<readonly Torrent[]> {
    const { torrents } = await this.call("torrent-get", { fields, ids });
    return torrents as Torrent[];
  }

  async torrent(id: unknown, ...fields: readonly string[]): Promise<Torrent> {
    const [torrent, ...more] = await this.torrents(fields, id);
    assert.equal(more.length, 0);
    return torrent ?? assert.fail(`there is no torrent ${String(id)}`);
  }
}
