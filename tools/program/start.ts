import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { ChunkLoader } from "./chunk-loader.ts";
import { recordCode } from "./record-code.ts";
import { isUpToDate } from "./source-stamps.ts";

/** The chunk that starts. The build fills it in. */
declare const ENTRY_CHUNK: string;
/** True in the copy that the build itself runs, to learn which code to keep. */
declare const IS_RECORDING: boolean;

const folder = import.meta.dirname;
const root = `${folder}/../..`;

/** Runs the changed sources, and keeps their compiled code for the next start. */
function runSources(): void {
  const { NODE_COMPILE_CACHE, XDG_CACHE_HOME, HOME } = process.env;
  const caches = XDG_CACHE_HOME || (HOME && `${HOME}/.cache`);
  if (!NODE_COMPILE_CACHE && caches) {
    process.getBuiltinModule("node:module").enableCompileCache(`${caches}/everseed`);
  }
  void import(pathToFileURL(`${root}/src/cli/main.ts`).href);
}

/** @returns The stamps of the sources; nothing in an installed package, which has no sources. */
function readStamps(): string | undefined {
  try {
    return readFileSync(`${folder}/sources`, "utf8");
  } catch {
    return undefined;
  }
}

/** The list of all commands and the version need only the first chunk; a command may load any. */
const [word = "--help", ...others] = process.argv.slice(2);
const isList = word.startsWith("-") || (word === "help" && others.length === 0);
const part = isList ? "first" : "all";

const stamps = readStamps();
if (stamps === undefined || isUpToDate(root, stamps, part)) {
  const loader = new ChunkLoader(folder);
  if (IS_RECORDING) recordCode(loader);
  loader.load(ENTRY_CHUNK);
} else {
  runSources();
}
