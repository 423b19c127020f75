import type { MatchesGlob } from "../base/file-pattern.ts";
import type { Infohashes } from "../base/infohash.ts";
import type { RunWork } from "../base/work.ts";
import type { Clock } from "../ports/clock.ts";
import type { PieceHasher } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { TransferContentTable } from "../store/transfer-contents.ts";
import type { TransferTable } from "../store/transfers.ts";
import type { TakingFiles } from "./content-taking.ts";
import type { ContentFiles } from "./transfer-chores.ts";
import type { TransferEngine } from "./transfer-engine.ts";
import type { SettingsStore, TransferSettings } from "./transfer-settings.ts";
import type { OnTransferEvent } from "./transfer-events.ts";

export interface TransfersOptions {
  readonly transfers: TransferTable;
  readonly contents: TransferContentTable;
  readonly settings: SettingsStore;
  readonly engine: TransferEngine;
  readonly hasher: PieceHasher;
  /** The state folder's files. */
  readonly files: Pick<Files, "read" | "write" | "remove" | "list" | "stat">;
  /** Absolute. */
  readonly stateFolder: string;
  /** Files wherever the owner keeps content. */
  readonly content: ContentFiles;
  /** The same below a folder that exists, where no link is followed. */
  readonly contentBelow: (root: string) => TakingFiles;
  /** Content that is here in another transfer is given a second name instead of a copy, where the disk shares no blocks. */
  readonly hardLinks?: boolean | undefined;
  /** Absolute; content is put here unless something else is chosen. */
  readonly downloadFolder: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Runs work that takes a while, in turns with everything else. */
  readonly run: RunWork;
  readonly matchesGlob: MatchesGlob;
  /** Of the owner, for the weekly schedule. */
  readonly timeZone: string;
  readonly defaults?: TransferSettings | undefined;
  /** Called in the middle of a change: it does its own work later. */
  readonly onEvent?: OnTransferEvent | undefined;
  /** Told which torrents a peer may wake: encrypted peers name them by a mark. */
  readonly sleeping?: SleepingTorrents | undefined;
  /** Announces finished ones where nobody needs to be awake for it. */
  readonly seeds?: SeededTorrents | undefined;
}

/** The torrents that are seeded, asleep or awake, as the DHT is told of them. */
export interface SeededTorrents {
  handleSeed(infohashes: Infohashes): void;
  handleNoSeed(infohashes: Infohashes): void;
}

/** The torrents that can be woken, of all parts of a node. */
export interface SleepingTorrents {
  add(infohashes: Infohashes): void;
  delete(infohashes: Infohashes): void;
}
