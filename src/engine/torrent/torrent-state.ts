import { invariant } from "../../base/errors.ts";
import type { DiskFailure } from "../../ports/content.ts";
import type { TorrentState } from "../session-contract.ts";

type Shown<Kind> = Extract<TorrentState, { kind: Kind }>;

/**
 * What a torrent is doing. This is the whole state: no other field of a torrent repeats part of it.
 *
 * @typeParam Opening - What finds out what is on disk. @typeParam Parts - What works once that is known.
 */
export type Phase<Opening, Parts> =
  /** Nothing has begun. */
  | { readonly kind: "idle" }
  /** The info dictionary is being fetched from peers (magnet). */
  | { readonly kind: "metadata" }
  /** We are finding out what is on disk: no peer is accepted or dialled. It is retried when the disk refuses. */
  | {
      readonly kind: "opening";
      readonly opening: Opening;
      readonly progress: Shown<"checking"> | DiskFailure;
    }
  | Running<Parts>
  /** Nothing that peers or the disk can do will help. */
  | {
      readonly kind: "broken";
      readonly shown: Shown<"broken">;
      readonly parts: Parts | undefined;
    }
  /** The received data is made durable. */
  | {
      readonly kind: "stopping";
      readonly shown: TorrentState;
      readonly parts: Parts | undefined;
    }
  | { readonly kind: "stopped"; readonly parts: Parts | undefined };

/** Peers are served, and blocks are requested from them. */
interface Running<Parts> {
  readonly kind: "running";
  readonly parts: Parts;
  /**
   * wanting: something that is wanted is missing, or the disk refuses. confirming: we have everything, and check
   * whether it is at its place under its name. done: it is.
   */
  readonly goal: "wanting" | "confirming" | "done";
  /** Once it is seeding, its state remains so until something is missing or the disk refuses. */
  readonly shown: "downloading" | "seeding";
  /** The owner was told that everything wanted now is complete. */
  readonly isTold: boolean;
  /** While the disk refuses nothing is requested. Serving continues. */
  readonly disk: "well" | DiskFailure;
}

export type StateEvent<Opening, Parts> =
  /** The info must be fetched. */
  | { readonly kind: "start" }
  /** The info is known. */
  | { readonly kind: "described"; readonly opening: Opening }
  /** The metadata that peers have is not an info dictionary: it matches the infohash, so no peer has a better one. */
  | { readonly kind: "bad-info"; readonly message: string }
  | { readonly kind: "checked"; readonly piecesChecked: number; readonly piecesTotal: number }
  /** @param isWhole - Nothing is missing. @param mayBeUnnamed - Whole files may not have their names yet. */
  | {
      readonly kind: "opened";
      readonly parts: Parts;
      readonly isWhole: boolean;
      readonly mayBeUnnamed: boolean;
    }
  /** Nothing that is wanted is missing, and no file is being moved to its place. */
  | { readonly kind: "whole" }
  /** Something that is wanted is missing, perhaps only for a reader. */
  | { readonly kind: "lacking" }
  /** A piece that we had is lost. */
  | { readonly kind: "lost" }
  /** Other files are wanted now. */
  | { readonly kind: "wanted" }
  /** All wanted files are at their places, under their names. */
  | { readonly kind: "confirmed" }
  /** The disk refused something. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** The disk still refuses, perhaps for another reason. */
  | { readonly kind: "still"; readonly failure: DiskFailure }
  | { readonly kind: "back" }
  /** The two hashes of a hybrid contradict each other. */
  | { readonly kind: "contradiction"; readonly message: string }
  | { readonly kind: "stop" }
  | { readonly kind: "closed" };

/** What the torrent does, in this order, once it is in its new phase. */
export type Effect =
  /** Tell its owner the new state. */
  | "tell-state"
  /** Tell its owner, and the first time also its sources. */
  | "tell-complete"
  /** Drop peers when neither side is interested in the other. */
  | "drop-useless"
  /** Let sources look for peers. */
  | "attach-sources"
  | "open-files"
  /** Serve peers that connected before the files were open, and request blocks from them. */
  | "introduce-peers"
  | "tell-sources-opened"
  /** Accept peers that waited. */
  | "let-in"
  | "dial"
  /** Peers that were dropped are useful again. */
  | "recall-peers"
  /** Close all peers, and end the waiting of readers. */
  | "give-up"
  /** Check whether all files are at their places. */
  | "confirm"
  /** Give whole files their names; the disk was checked a moment ago. */
  | "name"
  | "pause"
  | "resume"
  /** Close whatever is open. `closed` follows. */
  | "shut-down";

const NOTHING: readonly Effect[] = [];

interface Step<Opening, Parts> {
  readonly next: Phase<Opening, Parts>;
  readonly effects: readonly Effect[];
}

/**
 * The only place where the phase of a torrent changes. Pure.
 *
 * | event             | in                | next                | and then                                       |
 * | ----------------- | ----------------- | ------------------- | ---------------------------------------------- |
 * | start             | idle              | metadata            | tell, attach sources, dial                     |
 * | described         | idle, metadata    | opening             | tell, open files                               |
 * | bad-info          | metadata          | broken              | tell, give up                                  |
 * | checked           | opening           | opening             |                                                |
 * | refused           | opening           | opening             | tell a new cause                               |
 * | opened            | opening           | running             | introduce peers, tell, look for names, dial    |
 * | whole             | running, wanting  | confirming          | confirm                                        |
 * | lacking           | running           | wanting             | a seed: recall peers, tell, dial               |
 * | lost              | running           | wanting             | the same; complete is to be told again         |
 * | wanted            | running           | wanting             | complete is to be told again                   |
 * | confirmed         | confirming        | done                | tell, drop useless peers, tell complete        |
 * | refused, still    | running           | wanting, disk bad   | pause, tell a new cause                        |
 * | back              | running, disk bad | disk well           | tell, resume                                   |
 * | contradiction     | running           | broken              | pause, tell, give up                           |
 * | stop              | any               | stopping            | shut down                                      |
 * | closed            | stopping          | stopped             | tell                                           |
 *
 * Late outputs of the disk or a peer, for a torrent that is broken or stopping, are ignored. Everything else that is
 * not in the table cannot happen.
 */
export function step<Opening, Parts>(
  phase: Phase<Opening, Parts>,
  event: StateEvent<Opening, Parts>,
): Step<Opening, Parts> {
  if (event.kind === "stop") return stop(phase);
  switch (phase.kind) {
    case "idle":
      if (event.kind === "start") {
        return { next: { kind: "metadata" }, effects: ["tell-state", "attach-sources", "dial"] };
      }
      if (event.kind === "described") return open(event.opening);
      return impossible(phase, event);
    case "metadata":
      if (event.kind === "described") return open(event.opening);
      if (event.kind === "bad-info") {
        const shown = { kind: "broken", cause: "bad-info", message: event.message } as const;
        const next = { kind: "broken", shown, parts: undefined } as const;
        return { next, effects: ["tell-state", "give-up"] };
      }
      return impossible(phase, event);
    case "opening":
      return stepOpening(phase, event);
    case "running":
      return stepRunning(phase, event);
    case "broken":
      return stepLate(phase, event);
    case "stopping":
      if (event.kind !== "closed") return stepLate(phase, event);
      return { next: { kind: "stopped", parts: phase.parts }, effects: ["tell-state"] };
    case "stopped":
      return stepLate(phase, event);
  }
}

/** The state that the owner of a torrent sees. */
export function shownState(phase: Phase<unknown, unknown>): TorrentState {
  switch (phase.kind) {
    case "idle":
    case "stopped":
      return { kind: "stopped" };
    case "metadata":
      return { kind: "fetching-metadata" };
    case "opening":
      return phase.progress.kind === "failure" ? waitingFor(phase.progress) : phase.progress;
    case "running":
      return phase.disk === "well" ? { kind: phase.shown } : waitingFor(phase.disk);
    case "broken":
    case "stopping":
      return phase.shown;
  }
}

/** The parts that work on a torrent's files; `undefined` unless the files were opened. */
export function partsOf<Parts>(phase: Phase<unknown, Parts>): Parts | undefined {
  switch (phase.kind) {
    case "idle":
    case "metadata":
    case "opening":
      return undefined;
    default:
      return phase.parts;
  }
}

function open<Opening, Parts>(opening: Opening): Step<Opening, Parts> {
  const progress = { kind: "checking", piecesChecked: 0, piecesTotal: 0 } as const;
  return { next: { kind: "opening", opening, progress }, effects: ["tell-state", "open-files"] };
}

function stepOpening<Opening, Parts>(
  phase: Extract<Phase<Opening, Parts>, { kind: "opening" }>,
  event: StateEvent<Opening, Parts>,
): Step<Opening, Parts> {
  switch (event.kind) {
    case "checked": {
      const { piecesChecked, piecesTotal } = event;
      const progress = { kind: "checking", piecesChecked, piecesTotal } as const;
      return { next: { ...phase, progress }, effects: [] };
    }
    case "refused": {
      const next = { ...phase, progress: event.failure };
      return { next, effects: isSameCause(phase.progress, event.failure) ? [] : ["tell-state"] };
    }
    case "opened": {
      const { parts, isWhole, mayBeUnnamed } = event;
      const effects: Effect[] = ["introduce-peers"];
      if (!isWhole || mayBeUnnamed) effects.push("tell-state");
      effects.push("tell-sources-opened");
      if (isWhole) effects.push("name");
      effects.push("let-in", "dial");
      const goal = isWhole ? "confirming" : "wanting";
      const disk = "well";
      const shown = "downloading";
      return { next: { kind: "running", parts, goal, shown, isTold: false, disk }, effects };
    }
    default:
      return impossible(phase, event);
  }
}

function stepRunning<Opening, Parts>(
  phase: Running<Parts>,
  event: StateEvent<Opening, Parts>,
): Step<Opening, Parts> {
  const isWell = phase.disk === "well";
  switch (event.kind) {
    case "whole":
      if (!isWell || phase.goal !== "wanting") return unchanged(phase);
      return { next: { ...phase, goal: "confirming" }, effects: ["confirm"] };
    case "lacking":
      return lack(phase);
    case "lost":
      return lack({ ...phase, isTold: false });
    case "wanted":
      return { next: { ...phase, goal: "wanting", isTold: false }, effects: [] };
    case "confirmed": {
      if (phase.goal !== "confirming") return unchanged(phase);
      const effects: Effect[] = [];
      if (phase.shown !== "seeding") effects.push("tell-state");
      effects.push("drop-useless");
      if (!phase.isTold) effects.push("tell-complete");
      return { next: { ...phase, goal: "done", shown: "seeding", isTold: true }, effects };
    }
    case "refused":
      // Report the first cause only, not one for each piece in flight.
      return isWell ? pause(phase, event.failure) : unchanged(phase);
    case "still":
      return isSameCause(phase.disk, event.failure)
        ? unchanged(phase)
        : pause(phase, event.failure);
    case "back":
      return {
        next: { ...phase, disk: "well" },
        effects: isWell ? ["resume"] : ["tell-state", "resume"],
      };
    case "contradiction": {
      const shown = { kind: "broken", cause: "contradiction", message: event.message } as const;
      const next = { kind: "broken", shown, parts: phase.parts } as const;
      return { next, effects: ["pause", "tell-state", "give-up"] };
    }
    default:
      return impossible(phase, event);
  }
}

function lack<Parts>(phase: Running<Parts>): Step<never, Parts> {
  // Reported after each piece of a download.
  if (phase.goal === "wanting" && phase.shown === "downloading") return unchanged(phase);
  const next = { ...phase, goal: "wanting", shown: "downloading" } as const;
  const wasSeed = phase.shown === "seeding";
  return { next, effects: wasSeed ? ["recall-peers", "tell-state", "dial"] : [] };
}

function pause<Parts>(phase: Running<Parts>, failure: DiskFailure): Step<never, Parts> {
  const next = { ...phase, goal: "wanting", shown: "downloading", disk: failure } as const;
  return { next, effects: ["pause", "tell-state"] };
}

/** A torrent that is broken or stopping receives only late outputs of its parts. */
function stepLate<Opening, Parts>(
  phase: Phase<Opening, Parts>,
  event: StateEvent<Opening, Parts>,
): Step<Opening, Parts> {
  const isImpossible = event.kind === "start" || event.kind === "closed";
  return isImpossible ? impossible(phase, event) : unchanged(phase);
}

function stop<Opening, Parts>(phase: Phase<Opening, Parts>): Step<Opening, Parts> {
  if (phase.kind === "stopping" || phase.kind === "stopped") return unchanged(phase);
  const next = { kind: "stopping", shown: shownState(phase), parts: partsOf(phase) } as const;
  return { next, effects: ["shut-down"] };
}

function unchanged<Opening, Parts>(next: Phase<Opening, Parts>): Step<Opening, Parts> {
  return { next, effects: NOTHING };
}

function impossible(phase: Phase<unknown, unknown>, event: StateEvent<unknown, unknown>): never {
  invariant(false, `a torrent that is ${phase.kind} hears of no "${event.kind}"`);
}

function isSameCause(
  known: "well" | DiskFailure | Shown<"checking">,
  failure: DiskFailure,
): boolean {
  return known !== "well" && known.kind === "failure" && known.message === failure.message;
}

/** What the torrent is doing while the disk refuses. */
function waitingFor({ code, message }: DiskFailure): Shown<"waiting"> {
  const full = code === "ENOSPC" || code === "EDQUOT";
  const cause = full ? "disk-full" : code === "EEXIST" ? "foreign-files" : "disk-error";
  return { kind: "waiting", cause, message };
}
