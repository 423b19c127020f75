import type { TransferView } from "../../src/api/transfers.ts";
import { plural } from "../parts/format.ts";
import type { Mood } from "../parts/words.tsx";

/** A word for a state with its sign, and the sentence that says why. */
export interface StateWords {
  readonly mood: Mood;
  readonly word: string;
  /** A whole sentence, or empty where the figures of the row say it. From outside in parts. */
  readonly why: string;
}

/** The states of which a person may have to do something come first. */
const troubled: ReadonlySet<TransferView["state"]> = new Set<TransferView["state"]>([
  "failed",
  "waiting",
  "stalled",
]);

/** True for a transfer that cannot go on by itself, or for which nothing arrives. */
export function needsSomebody({ state }: TransferView): boolean {
  return troubled.has(state);
}

/** The first digits of an infohash are no name, but the only one until a link's details are known. */
export function nameOf({ name, id }: TransferView): string {
  return name === "" ? id : name;
}

/** True for one that a person or a limit has stopped. */
export function isStopped({ state }: TransferView): boolean {
  return state === "paused" || state === "failed";
}

export function stateWords(transfer: TransferView): StateWords {
  const { state, cause, reason } = transfer;
  const why = asSentence(cause);
  switch (state) {
    case "queued":
      return { mood: "wait", word: "Waiting", why: queueWords(why) };
    case "checking":
      return { mood: "wait", word: "Checking", why };
    case "taking":
      return { mood: "wait", word: "Bringing it here", why };
    case "finding":
      return { mood: "wait", word: "Finding details", why };
    case "downloading":
      return { mood: "down", word: "Downloading", why: why === "" ? "It has just begun." : why };
    case "stalled":
      return { mood: "warn", word: "Stalled", why };
    case "seeding":
      return seedingWords(transfer, why);
    case "paused":
      return { mood: "off", word: reason === "asked" ? "Paused" : "Ended", why };
    case "moving":
      return { mood: "wait", word: "Moving", why };
    case "removing":
      return { mood: "wait", word: "Removing", why: "Its files are being deleted." };
    case "waiting":
      return { mood: "bad", word: waitingWords[reason ?? ""] ?? "Waiting for the disk", why };
    case "failed":
      return { mood: "bad", word: "Needs you", why };
  }
}

const waitingWords: Readonly<Record<string, string>> = {
  "disk-full": "Disk full",
  "disk-error": "Disk error",
  "foreign-files": "Other files in the way",
};

function queueWords(why: string): string {
  return why === "" ? "It has its place in the queue." : why;
}

function seedingWords({ up, peers, reason }: TransferView, why: string): StateWords {
  const word = "Seeding";
  if (reason === "asleep") return { mood: "good", word, why };
  if (up > 0) return { mood: "up", word, why: `To ${plural(peers, "peer")}.` };
  if (peers === 0) return { mood: "good", word, why: "Nobody asks for it at the moment." };
  return { mood: "good", word, why: `${plural(peers, "peer")} connected, none takes anything.` };
}

/** "nobody asks" becomes "Nobody asks." */
function asSentence(text: string | null): string {
  if (text === null || text === "") return "";
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/** The part that is there, or that was compared. */
export function shownPercent({ checkedPercent, percent }: TransferView): number {
  return Math.floor(checkedPercent ?? percent ?? 0);
}

const WORKING: ReadonlySet<string> = new Set(["checking", "taking", "paused", "moving"]);

/** The bar's colour goes with the word of state. */
export function barMood(transfer: TransferView): string {
  const { mood } = stateWords(transfer);
  if (mood === "bad" || mood === "warn") return mood;
  const { state } = transfer;
  return WORKING.has(state) ? "wait" : "";
}

const REMAINING_SECONDS_MAX = 30 * 24 * 3600;

/** `1 min 48 s`, exact enough to decide whether to wait. */
export function remainingWords(seconds: number): string {
  if (seconds > REMAINING_SECONDS_MAX) return "over a month";
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return `${minutes} min ${Math.round(seconds % 60)} s`;
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return plural(Math.floor(hours / 24), "day");
}
