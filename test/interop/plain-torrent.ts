import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { dictOf, encode } from "../../src/bencode/encode.ts";

const PIECE_BYTES = 65_536;

/** Writes a v1 torrent of one file without starting our program: for tests that need many. @returns Its infohash. */
export function writePlainTorrent(
  torrent: string,
  source: string,
  tracker?: string,
): { readonly infohash: string } {
  const content = fs.readFileSync(source);
  const hashes: Buffer[] = [];
  for (let at = 0; at < content.length; at += PIECE_BYTES) {
    hashes.push(
      createHash("sha1")
        .update(content.subarray(at, at + PIECE_BYTES))
        .digest(),
    );
  }
  const info = dictOf({
    length: content.length,
    name: path.basename(source),
    "piece length": PIECE_BYTES,
    pieces: Buffer.concat(hashes),
  });
  fs.writeFileSync(torrent, encode(dictOf({ announce: tracker, info })));
  return { infohash: createHash("sha1").update(encode(info)).digest("hex") };
}
