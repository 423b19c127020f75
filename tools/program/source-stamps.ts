import { statSync } from "node:fs";

/** Separates the sources that help needs from the others. */
const REST = "";

/**
 * The sources of a bundle, one per line: time of the last change in ms, bytes, path. The bundle is out of date when
 * any of these files has changed or is gone. A new file counts once an existing one imports it.
 *
 * @param first - The sources of the first chunk, which is all that help needs.
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
  return [...first.map(stamp), REST, ...others.map(stamp)].join("\n");
}

/**
 * Compares the sources below `root` with their stamps. It runs at each start, with one `stat` per file of some
 * microseconds each.
 *
 * @param part - `first` when only the first chunk will run.
 */
export function isUpToDate(root: string, stamps: string, part: "first" | "all"): boolean {
  for (const line of stamps.split("\n")) {
    if (line === REST) {
      if (part === "first") return true;
      continue;
    }
    const [mtimeMs, size, path] = line.split(" ", 3);
    const found = statSync(`${root}/${path}`, { throwIfNoEntry: false });
    if (found === undefined || `${found.mtimeMs}` !== mtimeMs || `${found.size}` !== size) {
      return false;
    }
  }
  return true;
}
