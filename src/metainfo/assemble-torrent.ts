import { concatBytes, fromHex, fromLatin1, toLatin1 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { type Encodable, encode } from "../bencode/encode.ts";
import type { Metainfo } from "./metainfo.ts";

/** The parts of a .torrent file, from separate sources. */
export interface TorrentParts
  extends
    Pick<Metainfo, "trackers" | "pieceLayers" | "comment" | "createdBy" | "creationDate">,
    Partial<Pick<Metainfo, "webSeeds">> {
  /** Copied byte by byte: the infohashes cover it. */
  readonly infoBytes: Uint8Array;
}

/** Writes a .torrent file around an info dictionary that came from elsewhere, with the outer fields its maker added. */
export function assembleTorrent(torrent: TorrentParts): Uint8Array {
  const { infoBytes, trackers, pieceLayers, webSeeds = [] } = torrent;
  const layers = new Map<string, Encodable>();
  for (const [root, layer] of pieceLayers) {
    const key = fromHex(root);
    invariant(key, "layers are named by the hexadecimal root");
    layers.set(toLatin1(key), layer);
  }
  const urls = trackers.flat();
  const parts = [fromLatin1("d")];
  if (urls.length > 0) parts.push(encode("announce"), encode(urls[0]!));
  if (urls.length > 1) parts.push(encode("announce-list"), encode(trackers));
  put("comment", torrent.comment);
  put("created by", torrent.createdBy);
  put("creation date", torrent.creationDate);
  parts.push(encode("info"), infoBytes);
  if (layers.size > 0) parts.push(encode("piece layers"), encode(layers));
  put("url-list", webSeeds.length > 0 ? webSeeds : undefined);
  parts.push(fromLatin1("e"));
  return concatBytes(parts);

  /** In the order of the keys (BEP 3). */
  function put(key: string, value: Encodable | undefined): void {
    if (value !== undefined) parts.push(encode(key), encode(value));
  }
}
