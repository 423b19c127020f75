import type { Metainfo } from "../metainfo/metainfo.ts";
import { toHex } from "../base/bytes.ts";
import { DaemonError } from "./daemon-error.ts";

/**
 * Content can be judged without peers only where the hash of every piece is known: a v2 torrent whose piece
 * layers are missing has them from peers.
 *
 * @param source - The torrent as a person named it.
 * @throws {DaemonError} `not-a-torrent` when hashes are missing that only peers have.
 */
export function requireLayers(metainfo: Metainfo, source: string): void {
  const { info, pieceLayers } = metainfo;
  if (info.kind !== "v2") return;
  const isKnown = info.files.every(
    ({ piecesRoot, length }) =>
      !piecesRoot || length <= info.geometry.pieceLength || pieceLayers.has(toHex(piecesRoot)),
  );
  if (isKnown) return;
  throw new DaemonError(
    "not-a-torrent",
    `${source} lacks the hashes of its pieces. Peers have them.`,
    {
      subject: source,
      hint: "everseed get fetches them; or use a .torrent file that is whole.",
    },
  );
}
