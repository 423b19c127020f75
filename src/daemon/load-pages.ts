import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { PageAssets, PageRenderer } from "../api/pages.ts";
import { systemCode } from "../base/system-code.ts";
import { CommandError } from "../commands/command-error.ts";
import { type BuiltAssets, loadAssets, type PagesFolder } from "../hub/built-pages.ts";

/** The pages that `tools/build-pages.ts` built. */
export interface BuiltPages extends BuiltAssets {
  readonly pageAssets: PageAssets;
  /** Loads the server bundle, once. */
  readonly renderer: () => Promise<PageRenderer>;
}

/**
 * A path that is right from `src/daemon` in the repository and from the bundle in `dist/program`.
 */
const PAGES_FOLDER = fileURLToPath(new URL("../../web/dist", import.meta.url));

const compress = promisify(gzip);

/** @throws {CommandError} (rejects) `not-found` when the pages were never built. */
export async function loadPages(folder = PAGES_FOLDER): Promise<BuiltPages> {
  const files: PagesFolder = {
    list: (name) => readdir(join(folder, name)),
    read: async (name) => new Uint8Array(await readFile(join(folder, name))),
    gzip: async (bytes) => new Uint8Array(await compress(bytes)),
  };
  const { assets, pageAssets } = await loadAssets(files).catch((error: unknown) => {
    throw systemCode(error) === "ENOENT" ? notBuilt(folder, error) : error;
  });
  if (!pageAssets) throw notBuilt(folder);
  let renderer: Promise<PageRenderer> | undefined;
  return {
    assets,
    pageAssets,
    renderer: () => (renderer ??= loadRenderer(join(folder, "server/render.js"))),
  };
}

function notBuilt(folder: string, cause?: unknown): CommandError {
  return new CommandError("not-found", `The pages of the web site are not built in ${folder}.`, {
    hint: "run `npm run prepare` in the repository.",
    cause,
  });
}

async function loadRenderer(path: string): Promise<PageRenderer> {
  const bundle = (await import(pathToFileURL(path).href)) as { default: PageRenderer };
  return bundle.default;
}
