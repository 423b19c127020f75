import { globSync } from "node:fs";
import { resolve } from "node:path";

/** Tests that need foreign programs; all others are the own ones, in whatever folder they lie. */
const FOREIGN = ["test/interop", "test/browser"];
const SUITES = { own: ["src", "tools", "web", "test"], interop: FOREIGN };

export type Suite = keyof typeof SUITES;

const REPOSITORY = resolve(import.meta.dirname, "..");
const found = new Map<Suite, readonly string[]>();

/** The test files of a suite whose path contains one of the filters; all of them when there is no filter. */
export function testFiles(suite: Suite, filters: readonly string[]): readonly string[] {
  const files = found.get(suite) ?? findAll(suite);
  found.set(suite, files);
  return files.filter(
    (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
  );
}

function findAll(suite: Suite): readonly string[] {
  const patterns = SUITES[suite].map((folder) => `${folder}/**/*.test.{ts,tsx}`);
  return globSync(patterns, { cwd: REPOSITORY })
    .filter((file) => !file.includes("node_modules/"))
    .filter((file) => suite === "interop" || !FOREIGN.some((folder) => file.startsWith(folder)))
    .toSorted();
}
