import { builtinModules, createRequire } from "node:module";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { rolldown, type OutputChunk, type Plugin } from "rolldown";

/** Modules of Node that take milliseconds to load and that many runs never use. */
const DEFERRED = [
  "child_process",
  "dns",
  "dns/promises",
  "fs/promises",
  "http",
  "http2",
  "https",
  "readline",
  "readline/promises",
  "sqlite",
  "stream/promises",
  "tls",
  "zlib",
];

/** The two programs: the one that users run, and the one that the disk threads run. */
const ENTRIES = { main: "src/cli/main.ts", "disk-worker": "src/platform/disk/disk-worker.ts" };

/** The file that starts each of them, by the names that `bin/everseed` and `worker-url.ts` know. */
const STARTERS = [
  { file: "everseed.cjs", source: "tools/program/start.ts", entry: "main" },
  { file: "disk-worker.cjs", source: "tools/program/start-worker.ts", entry: "disk-worker" },
];

export interface Bundle {
  /** The chunk that starts, by the name of the entry. */
  readonly entryChunks: ReadonlyMap<string, string>;
  /** Our sources in the first chunks, and in the others, as paths below the root. */
  readonly firstSources: readonly string[];
  readonly otherSources: readonly string[];
  /** Folders of the bundled packages, as paths below the root. */
  readonly packages: readonly string[];
  readonly bytes: number;
}

/** Bundles the program into the chunks that `ChunkLoader` loads. */
export async function bundleProgram(root: string, folder: string): Promise<Bundle> {
  const chunks: OutputChunk[] = [];
  // Bundled separately: an entry that shared chunks with the other would run it.
  for (const [name, source] of Object.entries(ENTRIES)) {
    chunks.push(...(await bundle(root, { [name]: source }, folder)));
  }
  const entries = chunks.filter((chunk) => chunk.isEntry);
  const modulesOf = (some: readonly OutputChunk[]): string[] =>
    some
      .flatMap((chunk) => chunk.moduleIds)
      .filter((id) => path.isAbsolute(id))
      .map((id) => path.relative(root, id));
  const sourcesOf = (some: readonly OutputChunk[]): string[] =>
    unique(modulesOf(some).filter((id) => id.startsWith("src/") || id === "package.json"));
  const first = chunksOfHelp(chunks);
  return {
    entryChunks: new Map(entries.map(({ name, fileName }) => [name, fileName])),
    firstSources: sourcesOf(first),
    otherSources: sourcesOf(chunks.filter((chunk) => !first.includes(chunk))),
    packages: unique(modulesOf(chunks).flatMap((id) => packageFolder(id) ?? [])),
    bytes: chunks.reduce((sum, chunk) => sum + chunk.code.length, 0),
  };
}

/** The chunk of the command line, and those that it loads at once. */
function chunksOfHelp(chunks: readonly OutputChunk[]): readonly OutputChunk[] {
  const first = chunks.filter((chunk) => chunk.isEntry && chunk.name === "main");
  // Grows during the iteration.
  for (const { imports } of first) {
    for (const chunk of chunks) {
      if (imports.includes(chunk.fileName) && !first.includes(chunk)) first.push(chunk);
    }
  }
  return first;
}

/** Writes the files that start a bundle. @param isRecording - Whether they record what V8 compiles. */
export async function bundleStarters(
  root: string,
  folder: string,
  { entryChunks }: Bundle,
  isRecording: boolean,
): Promise<void> {
  for (const { file, source, entry } of STARTERS) {
    const build = await rolldown({
      cwd: root,
      input: source,
      platform: "node",
      // Without recording no code for it remains in the file.
      treeshake: { moduleSideEffects: false },
      transform: {
        define: {
          ENTRY_CHUNK: JSON.stringify(entryChunks.get(entry)),
          IS_RECORDING: String(isRecording),
          DEFERRED_BUILTINS: JSON.stringify(deferredExports()),
        },
      },
    });
    await build.write({ file: path.join(folder, file), format: "cjs", comments: false });
    await build.close();
  }
}

async function bundle(
  root: string,
  entries: Readonly<Record<string, string>>,
  folder: string,
): Promise<OutputChunk[]> {
  const build = await rolldown({
    cwd: root,
    input: entries,
    platform: "node",
    plugins: [bundledRequire],
    onLog: (level, log, handle) => {
      // A module that is imported both ways is loaded at once; it is small.
      if (log.code !== "INEFFECTIVE_DYNAMIC_IMPORT") handle(level, log);
    },
  });
  const { output } = await build.generate({
    format: "cjs",
    entryFileNames: "[name]-[hash].cjs",
    chunkFileNames: "[name]-[hash].cjs",
    comments: { legal: true, annotation: false, jsdoc: false },
  });
  await build.close();
  const chunks = output.filter((each) => each.type === "chunk");
  for (const { fileName, code } of chunks) {
    // `ChunkLoader` calls each chunk as a function.
    const head = "(function (exports, require, module, __filename, __dirname) {";
    await writeFile(path.join(folder, fileName), `${head}${inAscii(code)}\n})`);
  }
  return chunks;
}

/**
 * Writes other characters as escapes. V8 keeps a text in one byte a character, or in two when a single one needs it: a
 * megabyte more for the hub.
 *
 * @throws {Error} Where the escape would mean something else.
 */
function inAscii(code: string): string {
  const raw = /\\[^\0-\x7f]|String\.raw`[^`]*[^\0-\x7f]/.exec(code);
  if (raw) throw new Error(`an escape would change what this means: ${raw[0]}`);
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A `require` for one lazy package becomes the bundle's own, so that the package is bundled as well. */
const bundledRequire: Plugin = {
  name: "bundled-require",
  transform(code, id) {
    return id.includes("/src/")
      ? code.replace("const require = createRequire(import.meta.url);", "")
      : undefined;
  },
};

/** The exports of each deferred module, in the Node that builds. */
function deferredExports(): Record<string, string[]> {
  const require = createRequire(import.meta.url);
  const known = new Set(builtinModules);
  return Object.fromEntries(
    DEFERRED.filter((name) => known.has(name) || known.has(`node:${name}`)).map((name) => [
      name,
      Object.keys(require(`node:${name}`) as object),
    ]),
  );
}

function packageFolder(id: string): string | undefined {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0];
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].toSorted();
}
