/**
 * Builds the hub's pages: `web/` becomes `web/dist/` (assets for the browser, one renderer for the
 * hub). Run by npm's `prepare` and `start`; with nothing changed it only looks at modification times.
 *
 *   tools/run node tools/build-pages.ts [--force]
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { InlineConfig } from "vite";

const root = path.resolve(import.meta.dirname, "..");
const web = path.join(root, "web");
const dist = path.join(web, "dist");
/** Written last, so that its presence means a complete build and its time the build's time. */
const stampName = "built.json";
const sources = ["web", "src/api", "tools/build-pages.ts", "package-lock.json"];

/** The limit for a page's first view: its stylesheet and scripts, in gzip bytes (UX.md 5). */
const firstViewBytesMax = 60_000;

/** @returns True when `web/dist` is missing or older than one of the files it is made from. */
export async function pagesAreStale(): Promise<boolean> {
  const built = await stat(path.join(dist, stampName)).catch(() => undefined);
  if (built === undefined) return true;
  for (const source of sources) {
    if (await isNewer(path.join(root, source), built.mtimeMs)) return true;
  }
  return false;
}

/** @returns True when `target`, or a file below it that pages are made from, changed after `thanMs`. */
export async function isNewer(target: string, thanMs: number): Promise<boolean> {
  const found = await stat(target).catch(() => undefined);
  if (found === undefined) return false;
  if (!found.isDirectory()) return found.mtimeMs > thanMs;
  for (const entry of await readdir(target)) {
    if (entry.startsWith("dist") || /\.(test\.ts|md)$/.test(entry)) continue;
    if (await isNewer(path.join(target, entry), thanMs)) return true;
  }
  return false;
}

/**
 * Builds into a folder beside `web/dist` and swaps it in at the end, so that a running hub, and a
 * second build at the same time, always see a whole set of files.
 *
 * @returns One line about the size of the result.
 */
export async function buildPages(): Promise<string> {
  const { build } = await import("vite");
  const staging = path.join(web, `dist-${process.pid}`);
  await rm(staging, { recursive: true, force: true });
  try {
    // Created here, so that a folder that cannot be written is reported by its code and not in Vite's words.
    await mkdir(staging);
    const client = path.join(staging, "client");
    await build(clientConfig(client));
    const loose = {
      theme: await copyHashed(path.join(web, "style/theme.js"), client),
      leaf: await copyHashed(path.join(web, "style/leaf.svg"), client),
    };
    await build(serverConfig(path.join(staging, "server"), loose));
    const line = await weigh(client, Object.values(loose));
    await writeFile(
      path.join(staging, stampName),
      `${JSON.stringify({ node: process.version })}\n`,
    );
    await swapIn(staging);
    return line;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/** Concurrent builds swap one after the other; the last one wins, with the same files. */
const swapTriesMax = 20;

async function swapIn(staging: string): Promise<void> {
  const old = path.join(web, `dist-old-${process.pid}`);
  for (let tries = 1; ; tries += 1) {
    try {
      await rename(dist, old);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
    }
    try {
      await rename(staging, dist);
      break;
    } catch (error) {
      // Another build put its own there in the meantime.
      if (codeOf(error) !== "ENOTEMPTY" || tries === swapTriesMax) throw error;
    } finally {
      await rm(old, { recursive: true, force: true });
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

const shared = {
  configFile: false,
  root: web,
  publicDir: false,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
} satisfies InlineConfig;

const entry = "client/app.tsx";
/** Scripts of pages that have one of their own. */
const ownEntries = ["client/publish.tsx", "client/transfers.tsx", "client/transfer.tsx"];

function clientConfig(outDir: string): InlineConfig {
  return {
    ...shared,
    build: {
      outDir,
      target: "es2023",
      // Records which files the entry became; the hub reads it.
      manifest: true,
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      rolldownOptions: { input: [entry, ...ownEntries].map((file) => path.join(web, file)) },
    },
  };
}

function serverConfig(outDir: string, loose: LooseAssets): InlineConfig {
  return {
    ...shared,
    define: { __ASSETS__: JSON.stringify(loose) },
    // One file for everything: the published package has no node_modules of the pages.
    ssr: { noExternal: true, target: "node" },
    build: {
      outDir,
      ssr: path.join(web, "render.tsx"),
      target: "es2024",
      minify: false,
      reportCompressedSize: false,
      rolldownOptions: {
        // Loaded only on a click: a server neither hashes nor sends uploads.
        external: [/\/(?:upload-run|here-already)\.ts$/],
        output: { entryFileNames: "render.js" },
      },
    },
  };
}

/** Files that no bundle loads but every page names; paths below the site's root. */
interface LooseAssets {
  readonly theme: string;
  readonly leaf: string;
}

/** Copies a file into the assets under a name that changes with its content. */
async function copyHashed(file: string, client: string): Promise<string> {
  const content = await readFile(file);
  const hash = createHash("sha256").update(content).digest("base64url").slice(0, 8);
  const { name, ext } = path.parse(file);
  const target = `assets/${name}-${hash}${ext}`;
  await mkdir(path.join(client, "assets"), { recursive: true });
  await writeFile(path.join(client, target), content);
  return `/${target}`;
}

/** The part of Vite's manifest that this file uses. */
type Manifest = Readonly<Record<string, Chunk | undefined>>;

interface Chunk {
  readonly file: string;
  readonly css?: readonly string[];
  /** Keys of the manifest. */
  readonly imports?: readonly string[];
}

/** The files that a chunk needs before it runs, each once. */
function filesOf(manifest: Manifest, key: string, files = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (chunk === undefined || files.has(chunk.file)) return files;
  for (const file of [chunk.file, ...(chunk.css ?? [])]) files.add(file);
  for (const each of chunk.imports ?? []) filesOf(manifest, each, files);
  return files;
}

/** Refuses a first view that exceeds its budget, of any page. */
async function weigh(client: string, loose: readonly string[]): Promise<string> {
  const text = await readFile(path.join(client, ".vite/manifest.json"), "utf8");
  // Vite wrote it a moment ago.
  const manifest = JSON.parse(text) as Manifest;
  let first = 0;
  for (const key of [entry, ...ownEntries]) {
    const files = filesOf(manifest, key);
    if (files.size === 0) throw new Error(`the manifest lacks ${key}`);
    const bytes = await gzipBytes(client, [...files, ...loose]);
    if (bytes > firstViewBytesMax) {
      throw new Error(
        `first view of ${key} is ${bytes} bytes compressed, more than ${firstViewBytesMax}`,
      );
    }
    first = Math.max(first, bytes);
  }
  const all = await readdir(path.join(client, "assets"));
  const total = await gzipBytes(path.join(client, "assets"), all);
  return (
    `pages: first view ${inKilobytes(first)} of ${inKilobytes(firstViewBytesMax)} compressed, ` +
    `with what is loaded later ${inKilobytes(total)}`
  );
}

const compress = promisify(gzip);

async function gzipBytes(folder: string, files: readonly string[]): Promise<number> {
  let sum = 0;
  for (const file of files) sum += (await compress(await readFile(path.join(folder, file)))).length;
  return sum;
}

function inKilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/** Where the pages cannot be built again, the previous build still serves. */
const REASONS_TO_KEEP: Readonly<Record<string, string>> = {
  // Installed without development packages.
  ERR_MODULE_NOT_FOUND: "vite is not installed",
  // A different account runs the hub than the one that installed it.
  EACCES: "this account may not write there",
  EROFS: "it lies on a read-only file system",
};

/**
 * @returns A message when bundlers cannot work in such a folder, because they take these characters as part of a URL.
 */
export function faultOfFolder(folder: string): string | undefined {
  const [found] = /[#?\\]/.exec(folder) ?? [];
  if (found === undefined) return undefined;
  return `everseed: The path of this folder has a ${found} in it, with which its pages cannot be built. Give it another name: ${folder}`;
}

const NOT_INSTALLED =
  "everseed: What builds the pages is not installed. Run npm ci here, without --omit or --production.";

async function main(): Promise<void> {
  if (!process.argv.includes("--force") && !(await pagesAreStale())) return;
  const fault = faultOfFolder(root);
  if (fault !== undefined) {
    console.error(fault);
    process.exitCode = 1;
    return;
  }
  try {
    console.log(await buildPages());
  } catch (error) {
    const reason = REASONS_TO_KEEP[String(codeOf(error))];
    const built = await stat(path.join(dist, stampName)).catch(() => undefined);
    if (built === undefined && codeOf(error) === "ERR_MODULE_NOT_FOUND") {
      console.error(NOT_INSTALLED);
      process.exitCode = 1;
      return;
    }
    if (reason === undefined || built === undefined) throw error;
    console.error(`pages: sources are newer than web/dist, but ${reason}; keeping it`);
  }
}

if (import.meta.main) await main();
