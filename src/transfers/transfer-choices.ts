import type { FetchOrder, FetchPriority } from "../engine/fetch-order.ts";
import type { FileNames } from "../engine/file-names.ts";

/** Whether a file is wanted, and how soon. */
export type FilePriority = "skip" | FetchPriority;

/** When seeding ends by itself; `undefined`: what is chosen for the label, or else for all, holds. 0: never. */
export interface ShareLimits {
  readonly ratio?: number | undefined;
  readonly seedingMinutes?: number | undefined;
  /** Without a peer that took anything. */
  readonly idleMinutes?: number | undefined;
}

/** What the owner of a transfer has chosen for it; everything may be absent. */
export interface TransferChoices {
  /** 0: no limit of its own. */
  readonly downBytesPerSecond?: number | undefined;
  readonly upBytesPerSecond?: number | undefined;
  readonly shareLimits?: ShareLimits | undefined;
  /** By index; files that are not named are `normal`. Padding files count. */
  readonly files?: Readonly<Record<number, FilePriority>> | undefined;
  /** Its files are fetched from the beginning to the end; default: the rarest pieces first. */
  readonly sequential?: boolean | undefined;
  /** The beginning and the end of each file before the rest of it. */
  readonly firstAndLast?: boolean | undefined;
  /** Names of files and folders; they change together with those on disk. */
  readonly names?: FileNames | undefined;
  /** Ranges of file indexes that a magnet link names (BEP 53); `files` comes before them. */
  readonly select?: readonly (readonly [first: number, last: number])[] | undefined;
  /** Globs of the wanted files, while it is not known which files there are; then they become `select`. */
  readonly patterns?: readonly string[] | undefined;
  /** `address:port` of peers that the owner named. */
  readonly peers?: readonly string[] | undefined;
  /** Announce URLs that the owner named: they may be anywhere. */
  readonly ownTrackers?: readonly string[] | undefined;
}

/** @returns No choices when the column is not readable: they are wishes, and no reason to lose a transfer. */
export function parseChoices(text: string): TransferChoices {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** The priority of each file. */
export function filePriorities(choices: TransferChoices, count: number): FilePriority[] {
  const { files, select } = choices;
  return Array.from({ length: count }, (_, index) => {
    const priority = files?.[index];
    if (priority !== undefined) return priority;
    const isSelected =
      select === undefined || select.some(([first, last]) => index >= first && index <= last);
    return isSelected ? "normal" : "skip";
  });
}

/** Which files are wanted, one for each. */
export function wantedFiles(choices: TransferChoices, count: number): boolean[] {
  return filePriorities(choices, count).map((priority) => priority !== "skip");
}

/** In which order the wanted files are fetched. */
export function fetchOrder({ files, sequential, firstAndLast }: TransferChoices): FetchOrder {
  const chosen: Record<number, FetchPriority> = {};
  for (const [index, priority] of Object.entries(files ?? {})) {
    if (priority === "low" || priority === "high") chosen[Number(index)] = priority;
  }
  return { files: chosen, sequential, firstAndLast };
}
