import fs from "node:fs";
import path from "node:path";
import { toHex } from "../src/base/bytes.ts";
import { sha1 } from "../src/base/hash.ts";
import { dictOf, encode } from "../src/bencode/encode.ts";
import { assembleTorrent } from "../src/metainfo/assemble-torrent.ts";
import { openStore } from "../src/store/open-store.ts";
import type { StoredTransfer } from "../src/store/transfers.ts";
import { writeData } from "./bench-case.ts";

const CONTENT = "tiny.bin";
const CONTENT_BYTES = 16 * 1024;
/** Rows that are written in one transaction. */
const BATCH = 1_000;

/** Many small torrents, all of the same file: they differ in a field that nobody reads. */
export interface ManyTorrents {
  readonly count: number;
  /** Holds the file. */
  readonly content: string;
  readonly tracker: string;
  infohash(index: number): Uint8Array;
  torrent(index: number): Uint8Array;
}

/** @param tracker - The announce URL of all of them. */
export function makeMany(folder: string, count: number, tracker: string): ManyTorrents {
  const content = path.join(folder, "content");
  const file = path.join(content, CONTENT);
  writeData(file, CONTENT_BYTES);
  const pieces = sha1(fs.readFileSync(file));
  const info = (index: number): Uint8Array =>
    encode(
      dictOf({
        length: CONTENT_BYTES,
        name: CONTENT,
        "piece length": CONTENT_BYTES,
        pieces,
        source: `${index}`,
      }),
    );
  return {
    count,
    content,
    tracker,
    infohash: (index) => sha1(info(index)),
    torrent: (index) =>
      assembleTorrent({ infoBytes: info(index), trackers: [[tracker]], pieceLayers: new Map() }),
  };
}

/** Writes them as files: `NUMBER.torrent`. */
export function writeTorrents(many: ManyTorrents, folder: string): void {
  fs.mkdirSync(folder, { recursive: true });
  for (let index = 0; index < many.count; index += 1) {
    fs.writeFileSync(path.join(folder, `${index}.torrent`), many.torrent(index));
  }
}

/**
 * Writes the state of a node that has downloaded all of them, as `Transfers` writes it.
 *
 * The guard keeps a tracker on this machine from torrents; it asks one that the owner named.
 */
export async function writeState(many: ManyTorrents, folder: string): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  const store = await openStore(path.join(folder, "everseed.db"));
  const choices = JSON.stringify({ ownTrackers: [many.tracker] });
  for (let begin = 0; begin < many.count; begin += BATCH) {
    const rows: StoredTransfer[] = [];
    for (let index = begin; index < Math.min(begin + BATCH, many.count); index += 1) {
      const infohash = many.infohash(index);
      const id = toHex(infohash);
      const shelf = path.join(folder, "transfers", id.slice(0, 2));
      fs.mkdirSync(shelf, { recursive: true });
      fs.writeFileSync(path.join(shelf, `${id}.torrent`), many.torrent(index));
      rows.push({
        id,
        infohash_v1: infohash,
        infohash_v2: null,
        name: CONTENT,
        root: many.content,
        magnet: null,
        trackers: JSON.stringify([[many.tracker]]),
        private: 0,
        stopped: 0,
        pause: null,
        failure: null,
        chore: null,
        finished_at: 1_790_000_000_000 + index,
        whole: 1,
        size: CONTENT_BYTES,
        done: CONTENT_BYTES,
        downloaded: CONTENT_BYTES,
        uploaded: 0,
        seeded_ms: 0,
        seeded_until: 0,
        label: null,
        position: index,
        choices,
        added_at: 1_790_000_000_000 + index,
        active_at: 1_790_000_000_000 + index,
        active_seeded: 0,
      });
    }
    await store.transfers.insertAll(rows);
  }
  await store.close();
}
