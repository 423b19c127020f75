import { lstatSync } from "node:fs";
import { join, resolve } from "node:path";
import type { NodeStatus } from "../api/node.ts";
import { NODE_PATH } from "../api/paths.ts";
import { nodeStatusSchema } from "../api/node.ts";
import { EverseedError } from "../base/errors.ts";
import { VERSION } from "../base/version.ts";
import { CommandError } from "../commands/command-error.ts";
import {
  type Finding,
  fails,
  fine,
  judgeDescriptors,
  judgeNode,
  warns,
} from "../commands/health.ts";
import { TransferClient } from "../commands/transfer-client.ts";
import { PEER_PORT } from "../config/config.ts";
import { controlSocketIn, type Places } from "../config/places.ts";
import { descriptorLimit } from "../platform/descriptor-limit.ts";
import { lockHolder } from "../platform/lock-file.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import type { Log } from "../ports/log.ts";
import { controlClient } from "./background-node.ts";
import { examineDatabase, examineFolder, examineRights } from "./examine-disk.ts";
import { examineFreePort, examineOpenPort } from "./examine-port.ts";
import { examineTrackers, TRACKERS_MAX } from "./examine-trackers.ts";
import { loadNodeConfig, lockOf, type NodeConfig, nodePlaces } from "./node-config.ts";
import { openChosenNetwork } from "./open-network.ts";

/** A node that is well answers at once. */
const NODE_MS_MAX = 5_000;
/** Transfers whose trackers are asked: most have the same. */
const TRANSFERS_LOOKED_AT = 20;

export interface ExamineAsked {
  readonly isSystem: boolean;
  /** To be asked in addition to those of the node's transfers. */
  readonly trackers: readonly string[];
  readonly signal: AbortSignal;
  readonly log: Log;
}

/**
 * Looks at everything that keeps a node from working, whether one runs or not. It keeps nothing of it; only trackers hear of it.
 *
 * @returns What was found, one after the other.
 */
export async function* examineNode(asked: ExamineAsked): AsyncGenerator<Finding> {
  const places = nodePlaces(asked.isSystem);
  const { node, finding } = await examineConfig(asked.isSystem, places);
  yield finding;
  const { status, findings } = await examineProcess(places, node, asked.signal);
  yield* findings;
  const dataDir = status?.dataFolder ?? node?.config.dataDir ?? places.stateDir;
  yield examineFolder(dataDir, "state");
  const rights = examineRights(dataDir);
  if (rights) yield rights;
  const content = resolve(node?.config.transfers.folder ?? join(dataDir, "downloads"));
  yield examineFolder(content, "content");
  yield examineDatabase(dataDir);
  if (node) {
    yield judgeDescriptors(
      descriptorLimit(status?.pid ?? process.pid),
      node.config.engine.connectionsMax,
    );
    yield* await examinePort(node, status);
    yield* await examineOutside(asked, node, status);
  }
}

async function examineConfig(
  isSystem: boolean,
  { configFile }: Places,
): Promise<{ node: NodeConfig | undefined; finding: Finding }> {
  try {
    const node = await loadNodeConfig(isSystem);
    return { node, finding: fine("configuration", `The settings in ${configFile} can be used.`) };
  } catch (error) {
    if (!(error instanceof EverseedError)) throw error;
    const { detail, hint } = error as { detail?: string; hint?: string };
    const words = detail ?? error.message;
    const remedy = hint ?? "everseed config edit";
    return { node: undefined, finding: fails("configuration", words, remedy) };
  }
}

async function examineProcess(
  places: Places,
  node: NodeConfig | undefined,
  signal: AbortSignal,
): Promise<{ status: NodeStatus | undefined; findings: Finding[] }> {
  const socket = controlSocketIn(places.runtimeDir);
  const late = AbortSignal.timeout(NODE_MS_MAX);
  const client = controlClient(socket, AbortSignal.any([late, signal]));
  try {
    const status = await client.ask(NODE_PATH, nodeStatusSchema);
    return { status, findings: judgeNode(status, VERSION) };
  } catch (error) {
    signal.throwIfAborted();
    const finding = late.aborted
      ? fails("node", `What answers on ${socket} says nothing.`, "everseed daemon restart")
      : refusalOf(error, socket, lockOf(node?.config.dataDir ?? places.stateDir));
    return { status: undefined, findings: [finding] };
  }
}

/** Why the node did not say how it is. */
function refusalOf(error: unknown, socket: string, lock: string): Finding {
  if (!(error instanceof CommandError)) throw error;
  if (error.code === "starting") return fine("node", "The node is starting.");
  if (error.code !== "not-found") {
    return fails(
      "node",
      error.detail,
      error.hint ?? `see who listens there: ss -xlp src ${socket}`,
    );
  }
  const pid = lockHolder(lock);
  if (pid !== undefined) {
    const words = `Process ${pid} uses the state, but nobody answers on ${socket}.`;
    return fails("node", words, "everseed daemon restart; everseed daemon logs shows what it did");
  }
  const facts = lstatSync(socket, { throwIfNoEntry: false });
  if (facts && !facts.isSocket()) {
    const words = `${socket} is no socket, but a file or folder: a node cannot start.`;
    return fails("node", words, `look at it, and move it away: mv ${socket} ${socket}.old`);
  }
  return warns("node", "No node is running.", "everseed daemon start");
}

async function examinePort(
  { config }: NodeConfig,
  status: NodeStatus | undefined,
): Promise<Finding[]> {
  const { host = config.host, port } = config.engine;
  if (!status) return [await examineFreePort(host, port ?? PEER_PORT, port !== undefined)];
  // Behind a proxy there is none; the node says so itself.
  return status.peerPort === 0 ? [] : [await examineOpenPort(host, status.peerPort)];
}

/** Trackers and, by them, the clock. */
async function examineOutside(
  { trackers, signal, log }: ExamineAsked,
  { config, socket }: NodeConfig,
  status: NodeStatus | undefined,
): Promise<Finding[]> {
  const known = status ? await trackersOf(socket, signal) : [];
  const urls = new Set([...trackers, ...known]);
  try {
    using network = await openChosenNetwork({ ...config.engine, mayWait: false }, log);
    return await examineTrackers([...urls], network, signal);
  } catch (error) {
    if (!(error instanceof EverseedError)) throw error;
    const { detail, hint } = error as { detail?: string; hint?: string };
    return [fails("network", detail ?? error.message, hint ?? "everseed config get engine")];
  }
}

async function trackersOf(socket: string, signal: AbortSignal): Promise<readonly string[]> {
  const client = new TransferClient(controlClient(socket, signal), new NodeUserFiles());
  const urls = new Set<string>();
  let looked = 0;
  try {
    for await (const { id } of client.each({})) {
      looked += 1;
      if (looked > TRANSFERS_LOOKED_AT || urls.size >= TRACKERS_MAX) break;
      for (const url of (await client.trackers(id)).tiers.flat()) urls.add(url);
    }
  } catch (error) {
    // The service is off, or a transfer has just gone.
    if (!(error instanceof CommandError)) throw error;
  }
  return [...urls];
}
