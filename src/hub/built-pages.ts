import { decodeUtf8 } from "../base/bytes.ts";
import { joinPath, nameOf } from "../base/paths.ts";
import type { PageAssets } from "../api/pages.ts";
import type { Asset } from "./assets.ts";

/** The folder with the pages, as `tools/build-pages.ts` made it. Names are relative to it. */
export interface PagesFolder {
  list(folder: string): Promise<readonly string[]>;
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  gzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** The files that the site serves besides its pages, and those that a page refers to. */
export interface BuiltAssets {
  /** By path on the site. */
  readonly assets: ReadonlyMap<string, Asset>;
  /** `undefined` when the build lacks the entry of the pages. */
  readonly pageAssets: PageAssets | undefined;
}

const CLIENT = "client";
const ENTRY = "client/app.tsx";

const TYPES: ReadonlyMap<string, string> = new Map([
  ["js", "text/javascript; charset=utf-8"],
  ["css", "text/css; charset=utf-8"],
  ["svg", "image/svg+xml"],
  ["png", "image/png"],
  ["ico", "image/x-icon"],
  ["woff2", "font/woff2"],
]);

/** Loads all files that the site may serve; any other file of the build is left out. */
export async function loadAssets(folder: PagesFolder): Promise<BuiltAssets> {
  const manifest = await folder.read(joinPath(CLIENT, ".vite/manifest.json"));
  const assets = new Map<string, Asset>();
  for (const name of await folder.list(joinPath(CLIENT, "assets"))) {
    const type = TYPES.get(/\.([^.]+)$/.exec(nameOf(name))?.[1] ?? "");
    if (type === undefined) continue;
    const bytes = await folder.read(joinPath(CLIENT, "assets", name));
    const packed = await folder.gzip(bytes);
    const gzip = packed.length < bytes.length ? packed : undefined;
    assets.set(`/assets/${name}`, { type, bytes, gzip });
  }
  return { assets, pageAssets: entryAssets(manifest) };
}

/** The part of Vite's manifest that is used here. */
type Manifest = Readonly<Record<string, ManifestChunk>>;

interface ManifestChunk {
  readonly file: string;
  readonly name?: string;
  readonly isEntry?: boolean;
  readonly css?: readonly string[];
}

/** What pages refer to. @param bytes - The manifest of the build. @returns `undefined` when it lacks the entry. */
export function entryAssets(bytes: Uint8Array): PageAssets | undefined {
  // Written by our own build.
  const manifest = JSON.parse(decodeUtf8(bytes)) as Manifest;
  const entry = manifest[ENTRY];
  if (!entry) return undefined;
  const own = Object.entries(manifest)
    .filter(([key, { isEntry }]) => isEntry && key !== ENTRY)
    .map(([, { name, file }]) => [name ?? "", `/${file}`] as const);
  return {
    scripts: [`/${entry.file}`],
    ownScripts: Object.fromEntries(own),
    styles: (entry.css ?? []).map((file) => `/${file}`),
  };
}
