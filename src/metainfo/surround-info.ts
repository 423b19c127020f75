import { concatBytes, fromLatin1 } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import { decode } from "../bencode/decode.ts";
import { Oddities } from "../bencode/oddities.ts";
import { encode, type Encodable } from "../bencode/encode.ts";

/** The fields around an info dictionary, which no infohash covers. */
export interface Surroundings {
  /** Tiers of announce URLs (BEP 12). */
  readonly trackers: readonly (readonly string[])[];
  /** BEP 19. */
  readonly webSeeds: readonly string[];
  readonly comment?: string | undefined;
}

/** No value is built. */
const EVERY_KEY = { has: () => true };

/**
 * Rewrites a .torrent file with other trackers, web seeds and another comment. Every other value is copied byte by
 * byte, including the info dictionary and the piece layers, so the infohashes do not change.
 *
 * @param torrent - A .torrent file that `parseMetainfo` accepted.
 * @param info - Its info dictionary, a view of the file, when it is known: it is not parsed again.
 */
export function surroundInfo(
  torrent: Uint8Array,
  around: Surroundings,
  info?: Uint8Array,
): Uint8Array {
  const entries = new Map<string, Uint8Array>();
  decode(torrent, {
    oddities: new Oddities(),
    bytesMax: torrent.length,
    raw: EVERY_KEY,
    known: info,
    spans: entries,
  });
  invariant(entries.has("info"), "the caller read this file");
  const { comment } = around;
  const trackers = around.trackers.filter((tier) => tier.length > 0);
  put("announce", trackers[0]?.[0]);
  put("announce-list", trackers.flat().length > 1 ? trackers : undefined);
  put("url-list", around.webSeeds.length > 1 ? around.webSeeds : around.webSeeds[0]);
  put("comment", comment);
  // Readers prefer this key to `comment`.
  put("comment.utf-8", undefined);
  // The default order compares UTF-16 units, which in latin1 are the bytes.
  const parts = [...entries.keys()]
    .sort()
    .flatMap((key) => [encode(fromLatin1(key)), entries.get(key)!]);
  return concatBytes([fromLatin1("d"), ...parts, fromLatin1("e")]);

  function put(key: string, value: Encodable | undefined): void {
    if (value === undefined) entries.delete(key);
    else entries.set(key, encode(value));
  }
}
