import { statSync } from "node:fs";

/** Stands between the sources that help is made of and the others. */
const REST = "";

/**
 * The sources that a bundle was made of, one a line: time of the last change in ms, bytes, path. Any file that
 * is another one now, or is gone, makes the bundle out of date. A new file counts when one that was there
 * begins to import it.
 *
 * @param first - Those of the chunk that begins, which is all that help needs.
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
 * Compares the sources below `root` with their stamps. It runs at each start: one look at each file, some
 * microseconds each.
 *
 * @param part - `first` when nothing but the chunk that begins will run.
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
