import type { RunWork } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { SettingsStore } from "../transfers/transfer-settings.ts";
import type { Transfers } from "../transfers/transfers.ts";
import { TransfersError } from "../transfers/transfers-error.ts";
import { RecentChanges } from "./recent-changes.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";
import { RpcMemory } from "./rpc-memory.ts";
import type { RpcNode } from "./rpc-node.ts";
import type { AnswerJson, RpcParts } from "./rpc-parts.ts";
import { readObject, readRequest, type RpcRequest, tagOf } from "./rpc-request.ts";
import { freeSpace, getSession, getStats, testPort } from "./session-answers.ts";
import { setSession } from "./session-set.ts";
import {
  act,
  ACTION_METHODS,
  moveInQueue,
  renamePath,
  QUEUE_METHODS,
  setLocation,
  startNow,
} from "./torrent-actions.ts";
import { addTorrent } from "./torrent-add.ts";
import { FactsOfTorrents } from "./torrent-facts.ts";
import { getTorrents } from "./torrent-get.ts";
import { setTorrents } from "./torrent-set.ts";

type Method = (parts: RpcParts, args: RpcArguments) => Promise<AnswerJson> | AnswerJson;

const METHODS: ReadonlyMap<string, Method> = new Map<string, Method>([
  ...ACTION_METHODS.map((method): [string, Method] => [
    method,
    (parts, args) => act(method, parts, args),
  ]),
  ...Array.from(QUEUE_METHODS, ([method, where]): [string, Method] => [
    method,
    (parts, args) => moveInQueue(parts, args, where),
  ]),
  ["torrent-start-now", startNow],
  ["torrent-get", getTorrents],
  ["torrent-set", setTorrents],
  ["torrent-add", addTorrent],
  ["torrent-set-location", setLocation],
  ["torrent-rename-path", renamePath],
  ["session-get", getSession],
  ["session-set", setSession],
  ["session-stats", getStats],
  ["free-space", freeSpace],
  ["port-test", testPort],
  ["group-get", () => '{"group":[]}'],
  ["group-set", refuse("There are no bandwidth groups here: labels have limits of their own.")],
  [
    "blocklist-update",
    refuse('Lists of addresses are files, named by the key "engine.ipFilters".'),
  ],
  ["session-close", refuse('"everseed daemon stop" ends this node.')],
]);

/** Of all methods, those that are always refused included. */
export const METHOD_NAMES: readonly string[] = [...METHODS.keys()];

function refuse(why: string): Method {
  return () => {
    throw notHere(why);
  };
}

export interface TransmissionRpcOptions {
  readonly transfers: Transfers;
  readonly settings: SettingsStore;
  readonly node: RpcNode;
  readonly clock: Clock;
  readonly run: RunWork;
  /** Secret of this run; whoever knows it is no page of another site. */
  readonly sessionId: string;
}

/**
 * Transmission's RPC (version 17, of 4.0) over the transfers of a node: one request as text in, one answer as text out. It
 * knows no HTTP, and no accounts.
 */
export class TransmissionRpc {
  readonly #parts: RpcParts;

  constructor(options: TransmissionRpcOptions) {
    const { transfers, settings, clock } = options;
    this.#parts = {
      ...options,
      memory: new RpcMemory(settings),
      recent: new RecentChanges(transfers, clock),
      facts: new FactsOfTorrents(transfers),
    };
  }

  get sessionId(): string {
    return this.#parts.sessionId;
  }

  close(): void {
    this.#parts.recent.close();
  }

  /**
   * Carries out one request.
   *
   * @param text - JSON. What is no request is refused in the answer.
   * @throws (rejects) When the fault is ours.
   */
  async handle(text: string): Promise<string> {
    let tag: RpcRequest["tag"];
    try {
      const object = readObject(text);
      tag = tagOf(object);
      return answer(tag, "success", await this.#carryOut(readRequest(object)));
    } catch (error) {
      if (error instanceof RpcError || error instanceof TransfersError) {
        return answer(tag, error.detail, "{}");
      }
      throw error;
    }
  }

  async #carryOut({ method, args }: RpcRequest): Promise<AnswerJson> {
    const run = METHODS.get(method);
    if (!run) throw new RpcError("unknown-method", "There is no such method.");
    return run(this.#parts, args);
  }
}

function answer(tag: RpcRequest["tag"], result: string, args: AnswerJson): string {
  const rest = JSON.stringify({ result, tag });
  return `{"arguments":${args},${rest.slice(1)}`;
}
