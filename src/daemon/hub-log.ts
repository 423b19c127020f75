import type { Config } from "../config/config.ts";
import { NodeLog } from "../platform/node-log.ts";
import type { Log } from "../ports/log.ts";
import { wordsLog } from "./words-log.ts";

const STDERR = 2;

/**
 * A hub's log, on stderr: lines of JSON for a journal, words for a person who looks on.
 *
 * @param tellPerson - Takes a line of words; `undefined` when nobody looks on.
 */
export function openHubLog(config: Config, tellPerson: ((line: string) => void) | undefined): Log {
  const { level } = config.log;
  return tellPerson ? wordsLog(tellPerson, level) : new NodeLog({ level, to: STDERR });
}
