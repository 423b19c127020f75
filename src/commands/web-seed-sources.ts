import type { WebSeedSource } from "../engine/session-contract.ts";
import type { TorrentServer, WebSeedGuard } from "../guard/web-seed-guard.ts";
import type { MagnetLink, Metainfo } from "../metainfo/metainfo.ts";

/** A torrent, or a magnet link, that may name web seeds. */
export type WebSeeded = (
  | { readonly metainfo: Pick<Metainfo, "webSeeds" | "httpSeeds"> }
  | { readonly magnet: Pick<MagnetLink, "webSeeds"> }
) & {
  /** The server that sent it; `undefined` when it may come from anywhere. */
  readonly from?: TorrentServer | undefined;
};

/**
 * The web seeds of a torrent and those that the user adds, as the engine takes them.
 *
 * @param named - By the user: they may be anywhere, even when the torrent names them too.
 */
export function webSeedSources(
  guard: Pick<WebSeedGuard, "trust" | "vouch">,
  source: WebSeeded,
  named: readonly string[],
): readonly WebSeedSource[] {
  const files = "metainfo" in source ? source.metainfo.webSeeds : source.magnet.webSeeds;
  const pieces = "metainfo" in source ? source.metainfo.httpSeeds : [];
  if (source.from !== undefined) guard.vouch([...files, ...pieces], source.from);
  for (const url of named) guard.trust(url);
  return [
    ...Array.from(new Set([...named, ...files]), (url) => ({ url, kind: "files" as const })),
    ...pieces.map((url) => ({ url, kind: "pieces" as const })),
  ];
}
