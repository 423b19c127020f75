import { statSync } from "node:fs";

/** Separates the sources that the list of commands needs from the others. */
const REST = "\n\n";

/**
 * The sources of a bundle, one per line: time of the last change in ms, bytes, path. The bundle is out of date when
 * any of these files has changed or is gone. A new file counts once an existing one imports it.
 *
 * @param first - The sources of the first chunk, which is all that the list of commands needs.
 */
export function stampSources(
  root: string,
  first: readonly string[],
  others: readonly string[],
): string {
  const stamp = (path: string): string => {
    const { mtimeMs, size } = statSync(`${root}/${path}`);
    return `${mtimeMs} ${size} ${path}`;
  };
  return `${first.map(stamp).join("\n")}${REST}${others.map(stamp).join("\n")}`;
}

/**
 * Compares the sources below `root` with their stamps. It runs at each start, with one `stat` per file of some
 * microseconds each.
 *
 * @param part - `first` when only the first chunk will run.
 */
export function isUpToDate(root: string, stamps: string, part: "first" | "all"): boolean {
  const asked =
    part === "first" ? stamps.slice(0, stamps.indexOf(REST)) : stamps.replace(REST, "\n");
  for (const line of asked.split("\n")) {
    const [mtimeMs, size, path] = line.split(" ", 3);
    const found = statSync(`${root}/${path}`, { throwIfNoEntry: false });
    if (found === undefined || `${found.mtimeMs}` !== mtimeMs || `${found.size}` !== size) {
      return false;
    }
  }
  return true;
}
