import type { FilePriority } from "../transfers/transfer-choices.ts";
import type { TransferFile } from "../transfers/transfer-details.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";

const NUMBERS: Readonly<Record<FilePriority, number>> = { low: -1, normal: 0, high: 1, skip: 0 };

/** The number of a file's priority; one that is not wanted has none here. */
export function filePriorityNumber({ priority }: Pick<TransferFile, "priority">): number {
  return NUMBERS[priority];
}

export function isWanted({ priority }: Pick<TransferFile, "priority">): boolean {
  return priority !== "skip";
}

/** The arguments that name files, in the order in which they are carried out. */
const CHOICES: readonly (readonly [key: string, priority: FilePriority])[] = [
  ["files-unwanted", "skip"],
  ["files-wanted", "normal"],
  ["priority-high", "high"],
  ["priority-low", "low"],
  ["priority-normal", "normal"],
];

export function namesFiles(args: RpcArguments): boolean {
  return CHOICES.some(([key]) => args.integers(key) !== undefined);
}

/** A file as far as a choice depends on it. Of a link whose details are unknown there is none. */
export type ChosenFile = Pick<TransferFile, "index" | "priority">;

/**
 * What the arguments choose, by the indexes of the torrent. Programs count files without padding, because they are shown
 * none. A file that is not wanted keeps no priority.
 *
 * @param files - Without padding; `undefined` while they are not known: then numbers are taken for indexes.
 * @param wantsAllOfNone - An empty list means all files.
 * @throws {RpcError} For a number of no file.
 */
export function fileChoices(
  args: RpcArguments,
  files: readonly ChosenFile[] | undefined,
  wantsAllOfNone: boolean,
): Record<number, FilePriority> {
  const chosen: Record<number, FilePriority> = {};
  for (const [key, priority] of CHOICES) {
    const places = args.integers(key) ?? [];
    const isAll = wantsAllOfNone && args.integers(key)?.length === 0;
    for (const place of isAll ? (files ?? []).keys() : places) {
      const { index, priority: before } = fileAt(files, place);
      const wasWanted = (chosen[index] ?? before) !== "skip";
      // Wanted anew, it is normal; wanted as before, it keeps its priority.
      if (key === "files-wanted" ? !wasWanted : wasWanted) chosen[index] = priority;
    }
  }
  return chosen;
}

function fileAt(files: readonly ChosenFile[] | undefined, place: number): ChosenFile {
  const found = files ? files[place] : { index: place, priority: "normal" as const };
  if (!found || place < 0) throw new RpcError("bad-request", `There is no file ${place}.`);
  return found;
}
