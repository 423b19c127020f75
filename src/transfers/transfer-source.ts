import { type Infohashes, infohashKey } from "../base/infohash.ts";
import type { RunWork } from "../base/work.ts";
import { magnetOfInfohash, parseMagnet } from "../metainfo/magnet.ts";
import type { MagnetLink, Metainfo } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import { TORRENT_FILE_BYTES_MAX } from "./transfer-shelf.ts";
import { TransfersError } from "./transfers-error.ts";

/** What a transfer is made of: a .torrent file, or a link that names it. */
export type TransferSource =
  | { readonly metainfo: Metainfo; readonly bytes: Uint8Array }
  | { readonly magnet: MagnetLink; readonly link: string };

/**
 * Reads the bytes of a .torrent file.
 *
 * @throws {TransfersError} (rejects) `bad-source`.
 */
export async function readTorrentBytes(bytes: Uint8Array, run: RunWork): Promise<TransferSource> {
  try {
    const metainfo = await run(parseMetainfoInSteps(bytes, { bytesMax: TORRENT_FILE_BYTES_MAX }));
    return { metainfo, bytes: bytes.subarray(0, metainfo.byteLength) };
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new TransfersError("bad-source", `This is no torrent: ${error.detail}.`, {
      cause: error,
    });
  }
}

/**
 * Reads a magnet link or an infohash.
 *
 * @throws {TransfersError} `bad-source`.
 */
export function readLink(text: string): TransferSource {
  const link = magnetOfInfohash(text.trim()) ?? text.trim();
  try {
    return { magnet: parseMagnet(link), link };
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new TransfersError(
      "bad-source",
      `This is neither a magnet link nor an infohash: ${error.detail}.`,
      { cause: error },
    );
  }
}

export function infohashesOfSource(source: TransferSource): Infohashes {
  return "metainfo" in source ? source.metainfo.info.infohashes : source.magnet.infohashes;
}

/** The id of a transfer: its infohash in the wire form, v1 where there is one. */
export function transferId({ v1, v2 }: Infohashes): string {
  return infohashKey(v1 ?? v2!);
}
