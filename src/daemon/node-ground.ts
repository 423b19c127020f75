import { resolve } from "node:path";
import { isoTime } from "../base/iso-time.ts";
import { VERSION } from "../base/version.ts";
import type { Config } from "../config/config.ts";
import { FaultCounts } from "../platform/fault-counts.ts";
import type { NodeClock } from "../platform/node-clock.ts";
import { NodeDisk } from "../platform/node-disk.ts";
import { NodeRandom } from "../platform/node-random.ts";
import type { Log } from "../ports/log.ts";
import { DataFolder } from "../publish/data-folder.ts";
import { Turns } from "../publish/turns.ts";
import type { HubConfig } from "./hub-config.ts";
import { type HubState, openHubState } from "./hub-state.ts";
import { ReachSettings } from "./reach-settings.ts";

/** Collects a stop function for each part that was started; `endParts` calls them in the reverse order. */
export type Ends = (() => Promise<void>)[];

/** What every part of a node stands on. */
export interface Ground {
  /** With the values of the page "Connections". */
  readonly config: Config;
  readonly settings: ReachSettings;
  /** Absolute. */
  readonly dataDir: string;
  readonly state: HubState;
  readonly folder: DataFolder;
  readonly clock: NodeClock;
  readonly random: NodeRandom;
  readonly log: Log;
  readonly disk: NodeDisk;
  readonly faults: FaultCounts;
  /** Shares the thread among all tasks that take a while. */
  readonly turns: Turns;
  readonly version: string;
  readonly startedAt: string;
}

/**
 * Opens the data folder, which no other process may use meanwhile, and what has no part of its own.
 *
 * @throws {CommandError} (rejects) As `openHubState`.
 */
export async function openGround(
  asked: Pick<HubConfig, "config" | "origins">,
  { clock, log }: { readonly clock: NodeClock; readonly log: Log },
  ends: Ends,
): Promise<Ground> {
  const dataDir = resolve(asked.config.dataDir);
  const state = await openHubState(dataDir);
  ends.push(() => state.close());
  const settings = await ReachSettings.load(asked, state.store.settings, log);
  const faults = new FaultCounts(clock, log);
  ends.push(async () => faults.close());
  const disk = new NodeDisk({ log });
  ends.push(() => disk.close());
  return {
    config: settings.config,
    settings,
    dataDir,
    state,
    folder: new DataFolder(dataDir),
    clock,
    random: new NodeRandom(),
    log,
    disk,
    faults,
    turns: new Turns(clock),
    version: VERSION,
    startedAt: isoTime(clock.wallMs()),
  };
}
