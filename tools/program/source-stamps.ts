import { statSync } from "node:fs";

/**
 * The sources that a bundle was made of, one a line: time of the last change in ms, bytes, path. Any file that
 * is another one now, or is gone, makes the bundle out of date. A new file counts when one that was there
 * begins to import it.
 */
export function stampSources(root: string, paths: readonly string[]): string {
  return paths
    .map((path) => {
      const { mtimeMs, size } = statSync(`${root}/${path}`);
      return `${mtimeMs} ${size} ${path}`;
    })
    .join("\n");
}

/** Compares the sources below `root` with their stamps. It runs at each start: one look at each file. */
export function isUpToDate(root: string, stamps: string): boolean {
  for (const line of stamps.split("\n")) {
    const [mtimeMs, size, path] = line.split(" ", 3);
    const found = statSync(`${root}/${path}`, { throwIfNoEntry: false });
    if (found === undefined || `${found.mtimeMs}` !== mtimeMs || `${found.size}` !== size) {
      return false;
    }
  }
  return true;
}
