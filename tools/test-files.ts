import { globSync } from "node:fs";
import { resolve } from "node:path";

/** The folders of each suite: `own` needs no foreign program. */
const SUITES = {
  own: [
    "src",
    "tools",
    "web",
    "test/fixtures",
    "test/swarm",
    "test/dht",
    "test/utp",
    "test/fuzz",
    "test/package",
    "test/cli",
    "test/commands",
    "test/hub",
    "test/hostile",
  ],
  interop: ["test/interop", "test/browser"],
};

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
    .toSorted();
}
