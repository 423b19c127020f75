import type { Config } from "../config/config.ts";
import { NodeLog } from "../platform/node-log.ts";
import type { Log } from "../ports/log.ts";

const STDERR = 2;

/** A hub's log: lines of JSON on stderr, for the system's journal. */
export function openHubLog({ log: { level } }: Config): Log {
  return new NodeLog({ level, to: STDERR });
}
