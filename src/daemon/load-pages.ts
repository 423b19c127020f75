import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { PageAssets, PageRenderer } from "../api/pages.ts";
import type { Asset } from "../hub/assets.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError } from "../commands/command-error.ts";

/** The pages as `tools/build-pages.ts` made them. */
export interface BuiltPages {
  /** By path on the site. */
  readonly assets: ReadonlyMap<string, Asset>;
  readonly pageAssets: PageAssets;
  /** Loads the server bundle, once. */
  readonly renderer: () => Promise<PageRenderer>;
}

/** Where `src/daemon` in the repository and the bundle in `dist/program` both find them. */
const PAGES_FOLDER = fileURLToPath(new URL("../../web/dist", import.meta.url));
const ENTRY = "client/app.tsx";

const TYPES: Readonly<Record<string, string>> = {
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
};

const compress = promisify(gzip);

/** @throws {CommandError} (rejects) `not-found` when the pages were never built. */
export async function loadPages(folder = PAGES_FOLDER): Promise<BuiltPages> {
  try {
    const client = join(folder, "client");
    const text = await readFile(join(client, ".vite/manifest.json"), "utf8");
    const assets = await readAssets(client);
    let renderer: Promise<PageRenderer> | undefined;
    return {
      assets,
      pageAssets: entryAssets(text),
      renderer: () => (renderer ??= loadRenderer(join(folder, "server/render.js"))),
    };
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    throw new CommandError("not-found", `The pages of the web site are not built in ${folder}.`, {
      hint: "run `npm run prepare` in the repository.",
      cause: error,
    });
  }
}

async function readAssets(client: string): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const name of await readdir(join(client, "assets"))) {
    const type = TYPES[extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(await readFile(join(client, "assets", name)));
    const packed = new Uint8Array(await compress(bytes));
    const gzipped = packed.length < bytes.length ? packed : undefined;
    assets.set(`/assets/${name}`, { type, bytes, gzip: gzipped });
  }
  return assets;
}

/** The part of Vite's manifest that is of use here. */
type Manifest = Readonly<
  Record<string, { readonly file: string; readonly css?: readonly string[] } | undefined>
>;

function entryAssets(manifestText: string): PageAssets {
  // Written by our own build.
  const entry = (JSON.parse(manifestText) as Manifest)[ENTRY];
  if (!entry) throw new CommandError("not-found", `The pages lack their entry ${ENTRY}.`);
  return { scripts: [`/${entry.file}`], styles: (entry.css ?? []).map((file) => `/${file}`) };
}

async function loadRenderer(path: string): Promise<PageRenderer> {
  const bundle = (await import(pathToFileURL(path).href)) as { default: PageRenderer };
  return bundle.default;
}
