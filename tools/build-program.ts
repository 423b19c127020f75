/**
 * Builds what `bin/everseed` runs: `src/` and the packages it uses become a bundle in `dist/program/`, and a few
 * short runs of it leave the code that V8 made beside each chunk. Run by npm's `prepare`; with nothing changed it
 * only looks at modification times. docs/adr/0006-one-bundle-with-its-code.md says why.
 *
 *   tools/run node tools/build-program.ts [--force]
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { bundleProgram, bundleStarters } from "./program/bundle.ts";
import { CODE_SUFFIX, UNFINISHED } from "./program/code-file.ts";
import { packageNotices } from "./program/notices.ts";
import { rehearse } from "./program/rehearsal.ts";
import { isUpToDate, stampSources } from "./program/source-stamps.ts";

const root = path.resolve(import.meta.dirname, "..");
const program = path.join(root, "dist/program");
const notices = path.join(root, "dist/THIRD-PARTY-NOTICES.txt");

/** In addition to the modules of the bundle: the build itself, and the installed packages. */
const BUILDERS = [
  "package-lock.json",
  "tools/build-program.ts",
  "tools/program/bundle.ts",
  "tools/program/chunk-loader.ts",
  "tools/program/code-file.ts",
  "tools/program/rehearsal.ts",
  "tools/program/source-stamps.ts",
  "tools/program/start.ts",
  "tools/program/start-worker.ts",
];

/** What the bundle knows about its sources. The package leaves it out. */
const STAMPS = "sources";

/** @returns True when `dist/program` exists, matches the sources, and has code for this Node. */
async function programIsUpToDate(): Promise<boolean> {
  try {
    const files = await readdir(program);
    const stamps = await readFile(path.join(program, STAMPS), "utf8");
    return isUpToDate(root, stamps, "all") && files.some((file) => file.endsWith(CODE_SUFFIX));
  } catch {
    return false;
  }
}

/**
 * Builds into a folder beside `dist/program` and swaps it in at the end: a program that starts meanwhile gets either
 * the old bundle or the new one.
 *
 * @returns One line about the result.
 */
async function buildProgram(): Promise<string> {
  const staging = path.join(root, `dist/program-${process.pid}`);
  await rm(staging, { recursive: true, force: true });
  try {
    await mkdir(staging, { recursive: true });
    const bundle = await bundleProgram(root, staging);
    const stamps = stampSources(root, bundle.firstSources, [...bundle.otherSources, ...BUILDERS]);
    await bundleStarters(root, staging, bundle, true);
    const lack = await rehearse(staging).then(
      () => "",
      (error: unknown) => `; it compiles more at each start, because ${String(error)}`,
    );
    await removeUnfinished(staging);
    await bundleStarters(root, staging, bundle, false);
    await writeFile(path.join(staging, STAMPS), stamps);
    await writeFile(notices, await packageNotices(root, bundle.packages));
    await swapIn(staging);
    return `program: ${(bundle.bytes / 1e6).toFixed(1)} MB in one bundle${lack}`;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Threads that were killed while they wrote leave such files. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const file of await readdir(folder)) {
    if (file.endsWith(UNFINISHED)) await rm(path.join(folder, file));
  }
}

async function swapIn(staging: string): Promise<void> {
  const old = path.join(root, `dist/program-old-${process.pid}`);
  await rename(program, old).catch(ignoreMissing);
  try {
    await rename(staging, program);
  } finally {
    await rm(old, { recursive: true, force: true });
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== "ENOENT") throw error;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** Where the bundle cannot be built, `bin/everseed` runs the sources, as it does when they are newer. */
const REASONS_TO_DO_WITHOUT: Readonly<Record<string, string>> = {
  ERR_MODULE_NOT_FOUND: "rolldown is not installed",
  EACCES: "this account may not write there",
  EROFS: "it lies on a read-only file system",
};

async function main(): Promise<void> {
  if (!process.argv.includes("--force") && (await programIsUpToDate())) return;
  try {
    console.log(await buildProgram());
  } catch (error) {
    const reason = REASONS_TO_DO_WITHOUT[String(codeOf(error))];
    if (reason === undefined || process.argv.includes("--force")) throw error;
    console.error(`program: not bundled, because ${reason}; bin/everseed runs the sources`);
  }
}

if (import.meta.main) await main();
