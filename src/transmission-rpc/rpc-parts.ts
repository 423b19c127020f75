import type { RunWork } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { Transfers } from "../transfers/transfers.ts";
import type { RecentChanges } from "./recent-changes.ts";
import type { RpcMemory } from "./rpc-memory.ts";
import type { RpcNode } from "./rpc-node.ts";
import type { FactsOfTorrents } from "./torrent-facts.ts";

/** What the methods share. */
export interface RpcParts {
  readonly transfers: Transfers;
  readonly node: RpcNode;
  readonly clock: Clock;
  /** Runs work that takes a while, in turns with everything else. */
  readonly run: RunWork;
  /** The id of the session, which requests have to repeat. */
  readonly sessionId: string;
  readonly memory: RpcMemory;
  readonly recent: RecentChanges;
  readonly facts: FactsOfTorrents;
}

/** The `arguments` of an answer, as JSON: an answer of many torrents is written piece by piece. */
export type AnswerJson = string;
