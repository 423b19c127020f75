import { invariant } from "../../base/errors.ts";
import type { DiskFailure } from "../../ports/content.ts";
import type { TorrentState } from "../session-contract.ts";

type Shown<Kind> = Extract<TorrentState, { kind: Kind }>;

/**
 * What a torrent is doing. This is all there is: no other field of a torrent says the same once more.
 *
 * @typeParam Opening - What finds out what is on disk. @typeParam Parts - What works once that is known.
 */
export type Phase<Opening, Parts> =
  /** Nothing has begun. */
  | { readonly kind: "idle" }
  /** The info dictionary is fetched from peers (magnet). */
  | { readonly kind: "metadata" }
  /** It is found out what of it is on disk: no peer is let in, none is dialled. Tried again when the disk refuses. */
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
  /** What is there is made durable. */
  | {
      readonly kind: "stopping";
      readonly shown: TorrentState;
      readonly parts: Parts | undefined;
    }
  | { readonly kind: "stopped"; readonly parts: Parts | undefined };

/** Peers are served and asked. */
interface Running<Parts> {
  readonly kind: "running";
  readonly parts: Parts;
  /**
   * wanting: something that is wanted lacks, or the disk refuses. confirming: all is had; whether it is at its place, by
   * its name, is looked at. done: it is.
   */
  readonly goal: "wanting" | "confirming" | "done";
  /** Once it is seeding it is called so until something lacks or the disk refuses. */
  readonly shown: "downloading" | "seeding";
  /** It was told that everything that is wanted now is complete. */
  readonly isTold: boolean;
  /** While the disk refuses nothing is asked for. Serving goes on. */
  readonly disk: "well" | DiskFailure;
}

export type StateEvent<Opening, Parts> =
  /** Its info is to be fetched. */
  | { readonly kind: "start" }
  /** Its info is known. */
  | { readonly kind: "described"; readonly opening: Opening }
  /** What peers have is no info dictionary: it matches the infohash, so no peer can bring a better one. */
  | { readonly kind: "bad-info"; readonly message: string }
  | { readonly kind: "checked"; readonly piecesChecked: number; readonly piecesTotal: number }
  /** @param isWhole - Nothing lacks. @param mayBeUnnamed - Whole files may not have their names yet. */
  | {
      readonly kind: "opened";
      readonly parts: Parts;
      readonly isWhole: boolean;
      readonly mayBeUnnamed: boolean;
    }
  /** Nothing that is wanted lacks, and nothing is on its way to its place. */
  | { readonly kind: "whole" }
  /** Something that is wanted lacks, perhaps for a reader only. */
  | { readonly kind: "lacking" }
  /** A piece that was had is not any more. */
  | { readonly kind: "lost" }
  /** Other files are wanted. */
  | { readonly kind: "wanted" }
  /** Everything that is wanted is at its place, by its name. */
  | { readonly kind: "confirmed" }
  /** The disk refused something. */
  | { readonly kind: "refused"; readonly failure: DiskFailure }
  /** It refuses still, perhaps for another reason. */
  | { readonly kind: "still"; readonly failure: DiskFailure }
  | { readonly kind: "back" }
  /** The two hashes of a hybrid contradict each other. */
  | { readonly kind: "contradiction"; readonly message: string }
  | { readonly kind: "stop" }
  | { readonly kind: "closed" };

/** What the torrent does, in this order, when it is in its new phase. */
export type Effect =
  /** Tell its owner the new state. */
  | "tell-state"
  /** Tell its owner, and its sources the first time. */
  | "tell-complete"
  /** Let go peers with whom neither side wants anything. */
  | "drop-useless"
  /** Let sources look for peers. */
  | "attach-sources"
  | "open-files"
  /** Peers that came before the files were open may be served and asked. */
  | "introduce-peers"
  | "tell-sources-opened"
  /** Let those in who waited. */
  | "let-in"
  | "dial"
  /** Peers that were let go are of use again. */
  | "recall-peers"
  /** Close all peers, and let readers wait no more. */
  | "give-up"
  /** Look whether everything is at its place. */
  | "confirm"
  /** Give whole files their names; the disk was looked at a moment ago. */
  | "name"
  | "pause"
  | "resume"
  /** Close what there is. `closed` follows. */
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
 * What a disk or a peer says late, to a torrent that is broken or stops, is ignored. Everything else that is not in the
 * table cannot happen.
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

/** What the owner of a torrent sees. */
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

/** What works on a torrent's files; `undefined` unless they were opened. */
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
      // The first cause is told, not that of each piece that was on its way.
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
  // Said after each piece of a download.
  if (phase.goal === "wanting" && phase.shown === "downloading") return unchanged(phase);
  const next = { ...phase, goal: "wanting", shown: "downloading" } as const;
  const wasSeed = phase.shown === "seeding";
  return { next, effects: wasSeed ? ["recall-peers", "tell-state", "dial"] : [] };
}

function pause<Parts>(phase: Running<Parts>, failure: DiskFailure): Step<never, Parts> {
  const next = { ...phase, goal: "wanting", shown: "downloading", disk: failure } as const;
  return { next, effects: ["pause", "tell-state"] };
}

/** Of a torrent that is broken or stops only what its parts say late can come. */
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
