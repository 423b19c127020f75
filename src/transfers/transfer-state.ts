import type { FileNames } from "../engine/file-names.ts";
import type { Slowness, TorrentState } from "../engine/session-contract.ts";

/** Why a transfer is stopped. */
export type PauseCause = "asked" | "ratio" | "seeding-time" | "idle-time";

/** Why a transfer cannot go on until its owner does something. */
export type FailureCause =
  /** The .torrent file in the state folder is gone or damaged. */
  | "no-torrent-file"
  /** No file fits the patterns it was added with. */
  | "nothing-chosen"
  /** None of the files that were there is at its place: their disk may be missing. It goes on when they are back. */
  | "no-content"
  /** Its content could not be moved; it is where it was. */
  | "not-moved"
  /** This node has the torrent as something else: it publishes it, for instance. */
  | "elsewhere"
  | "bad-info"
  | "contradiction";

export interface Failure {
  readonly cause: FailureCause;
  /** What happened, for people. */
  readonly message: string;
}

/**
 * What a transfer is doing, with the cause where its owner would ask for it. This is the whole state; `stateOf` and
 * `stateAsleep` make it, and `ContentTaking` those of a transfer that takes what is here.
 */
export type TransferState =
  /** It waits until fewer downloads run. @property before - Transfers that come before it. */
  | { readonly kind: "queued"; readonly before: number }
  /** @property part - 0 to 1. */
  | { readonly kind: "checking"; readonly part: number }
  /** Its content is here in another transfer, and is brought from there. @property part - 0 to 1. */
  | { readonly kind: "taking"; readonly part: number; readonly of: string }
  /** A magnet link's details are asked for. */
  | { readonly kind: "finding"; readonly slowness: Slowness | undefined }
  | { readonly kind: "downloading"; readonly slowness: Slowness | undefined }
  /** Nothing arrives. */
  | { readonly kind: "stalled"; readonly slowness: Slowness }
  /** @property asleep - Only a row, until a peer asks for it. */
  | { readonly kind: "seeding"; readonly asleep: boolean }
  | { readonly kind: "paused"; readonly cause: PauseCause }
  /** Its content is on the way to another folder. */
  | { readonly kind: "moving"; readonly to: string }
  /** Its files get other names; the API calls it `moving`. */
  | { readonly kind: "renaming" }
  | { readonly kind: "removing" }
  /** The disk refuses for now; it goes on by itself. */
  | {
      readonly kind: "waiting";
      readonly cause: "disk-full" | "disk-error" | "foreign-files";
      readonly message: string;
    }
  | ({ readonly kind: "failed" } & Failure);

/** Work on a transfer that a kill must not lose: it is carried on at the next start. */
export type Chore =
  | { readonly kind: "move"; readonly to: string }
  /** @property names - Of files and folders. @property name - Of the transfer. Both as they are afterwards. */
  | { readonly kind: "rename"; readonly names: FileNames; readonly name: string }
  | { readonly kind: "remove"; readonly withContent: boolean };

/** What a row says of a transfer. */
export interface RowState {
  readonly chore: Chore | undefined;
  readonly failure: Failure | undefined;
  readonly pause: PauseCause | undefined;
  readonly isFinished: boolean;
}

/** The state of a transfer that is no more than a row. @param before - Transfers before it in the queue. */
export function stateAsleep(row: RowState, before: number): TransferState {
  const { chore, failure, pause, isFinished } = row;
  switch (chore?.kind) {
    case "move":
      return { kind: "moving", to: chore.to };
    case "rename":
      return { kind: "renaming" };
    case "remove":
      return { kind: "removing" };
    case undefined:
      break;
  }
  if (failure) return { kind: "failed", ...failure };
  if (pause) return { kind: "paused", cause: pause };
  return isFinished ? { kind: "seeding", asleep: true } : { kind: "queued", before };
}

/** Reasons for which nothing arrives at all, in contrast to those that slow a download down. */
const STALLING: ReadonlySet<Slowness> = new Set<Slowness>([
  "nobody-known",
  "nobody-reached",
  "nobody-has-it",
  "all-choke",
]);

/** The state of a transfer whose torrent is in the engine. */
export function stateOf(
  row: RowState,
  engine: {
    readonly state: TorrentState;
    readonly slowness: Slowness | undefined;
    readonly downBytesPerSecond: number;
  },
): TransferState {
  const { state, slowness, downBytesPerSecond } = engine;
  if (row.chore || row.failure || row.pause) return stateAsleep(row, 0);
  switch (state.kind) {
    case "fetching-metadata":
      return { kind: "finding", slowness };
    case "checking":
      // A finished one looks at its files for a moment; nothing is read.
      if (row.isFinished && state.piecesTotal === 0) return { kind: "seeding", asleep: false };
      return {
        kind: "checking",
        part: state.piecesTotal === 0 ? 0 : state.piecesChecked / state.piecesTotal,
      };
    case "downloading":
      return slowness && STALLING.has(slowness) && downBytesPerSecond === 0
        ? { kind: "stalled", slowness }
        : { kind: "downloading", slowness };
    case "seeding":
      return { kind: "seeding", asleep: false };
    case "waiting":
      return { kind: "waiting", cause: state.cause, message: state.message };
    case "broken":
      return { kind: "failed", cause: state.cause, message: state.message };
    case "stopped":
      return stateAsleep(row, 0);
  }
}

const SLOWNESS: Readonly<Record<Slowness, string>> = {
  "own-limit": "your speed limit holds it",
  disk: "the disk is slow or refuses",
  "nobody-known": "no peer is known yet",
  "nobody-reached": "no peer has answered yet",
  "nobody-has-it": "nobody connected has what is missing",
  "all-choke": "all peers make it wait",
  peers: "as fast as its peers send",
};

export const PAUSE_WORDS: Readonly<Record<PauseCause, string>> = {
  asked: "stopped by you",
  ratio: "its ratio is reached",
  "seeding-time": "it was seeded for as long as it should be",
  "idle-time": "nobody wanted it for a while",
};

/** @returns The cause in words, without the state's own word; `undefined` when the word says it all. */
export function causeInWords(state: TransferState): string | undefined {
  switch (state.kind) {
    case "queued":
      return state.before === 0
        ? "it starts as soon as another download ends"
        : `${state.before} before it in the queue`;
    case "checking":
      return "comparing what is on disk with its hashes";
    case "taking":
      return `the same content is here in ${state.of}, ${Math.floor(state.part * 100)} % brought from there`;
    case "finding":
      return state.slowness
        ? `asking peers what the link names: ${SLOWNESS[state.slowness]}`
        : "asking peers what the link names";
    case "downloading":
      return state.slowness && SLOWNESS[state.slowness];
    case "stalled":
      return SLOWNESS[state.slowness];
    case "seeding":
      return state.asleep ? "asleep until a peer asks for it" : undefined;
    case "paused":
      return PAUSE_WORDS[state.cause];
    case "moving":
      return `to ${state.to}`;
    case "renaming":
      return "its files get other names";
    case "removing":
      return undefined;
    case "waiting":
      return `${state.message}; it goes on when that is over`;
    case "failed":
      return state.message;
  }
}

/** @returns The cause as one word, for programs; `undefined` where the state's own word says it all. */
export function reasonOf(state: TransferState): string | undefined {
  switch (state.kind) {
    case "finding":
    case "downloading":
    case "stalled":
      return state.slowness;
    case "paused":
    case "waiting":
    case "failed":
      return state.cause;
    case "seeding":
      return state.asleep ? "asleep" : undefined;
    default:
      return undefined;
  }
}
