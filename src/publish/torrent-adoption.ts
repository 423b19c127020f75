import { infohashKey, wireInfohashes } from "../base/infohash.ts";
import { assembleTorrent } from "../metainfo/assemble-torrent.ts";
import type { Metainfo, TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfo } from "../metainfo/parse-metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { NewTorrent, TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { ContentSharing } from "./content-sharing.ts";
import type { DataFolder } from "./data-folder.ts";
import { realFiles } from "./damaged-files.ts";
import { infoOnDisk } from "./in-place.ts";
import { withoutTrackers } from "./named-trackers.ts";
import { PublishError } from "./publish-error.ts";
import type { Publications } from "./publications.ts";
import { infohashesOf } from "./row-infohashes.ts";
import { searchText } from "./search-text.ts";
import type { SwarmRegistry } from "./swarm-registry.ts";

/** A torrent that somebody else made. */
export interface FetchedTorrent
  extends
    Pick<Metainfo, "trackers" | "pieceLayers" | "comment" | "createdBy" | "creationDate">,
    Partial<Pick<Metainfo, "webSeeds">> {
  readonly info: TorrentInfo;
}

/** Limit of a description on a hub; a longer one stays complete in the .torrent file. */
const COMMENT_CHARACTERS_MAX = 10_000;

export interface TorrentAdoptionOptions {
  readonly torrents: TorrentTable;
  readonly swarms: Pick<SwarmRegistry, "register">;
  /** Told of each new torrent, because its files may already be here. */
  readonly sharing: Pick<ContentSharing, "handlePublished">;
  /** Nothing else is published meanwhile; a removed torrent comes back, or makes way. */
  readonly publications: Pick<Publications, "alone" | "meet">;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  /** The hub's own announce URLs. */
  readonly trackers: readonly string[];
}

/** Publishes torrents that were made elsewhere: their info dictionary, and with it the infohash, is kept. */
export class TorrentAdoption {
  readonly #options: TorrentAdoptionOptions;

  constructor(options: TorrentAdoptionOptions) {
    this.#options = options;
  }

  /**
   * Lists, tracks and seeds a torrent whose content is whole.
   *
   * @param place.contentFolder - Absolute; its content is moved.
   * @returns Its id; another torrent's id when it is already published, and then nothing is moved.
   */
  async adopt(
    fetched: FetchedTorrent,
    place: { readonly id: string; readonly ownerId: string; readonly contentFolder: string },
  ): Promise<string> {
    return this.#options.publications.alone(async () => {
      await this.#meetRemoved(fetched, { ownerId: place.ownerId });
      const known = await this.#published(fetched.info);
      if (known) return known.id;
      const { files, folder } = this.#options;
      const key = infohashKey(wireInfohashes(fetched.info.infohashes)[0]!);
      const target = folder.absolute(folder.contentPath(key));
      if (await files.stat(place.contentFolder)) {
        // It is there without a torrent: left by an attempt that did not finish.
        if (await files.stat(target)) await files.remove(target);
        await files.move(place.contentFolder, target);
      }
      try {
        await this.#insert(fetched, { ...place, contentRoot: null });
      } catch (error) {
        // Moves it back to where the next attempt expects it.
        if (!(await this.#known(fetched.info))) await files.move(target, place.contentFolder);
        throw error;
      }
      return place.id;
    });
  }

  /**
   * The same for content that stays in its owner's folder: it is read and never changed.
   *
   * @param place.contentRoot - Absolute; contains the torrent's folder or file, under the torrent's own names.
   * @param place.checkedMs - Wall milliseconds when the hashing of the files began.
   * @param place.stamp - The look of the files then; null when it is not known.
   * @returns Its id; another torrent's id when it is already published.
   * @throws {PublishError} (rejects) `bad-declaration` when the files are not there. An error with the system's
   *   `code` when a file is not accessible.
   */
  async adoptInPlace(
    made: FetchedTorrent,
    place: {
      readonly id: string;
      readonly ownerId: string;
      readonly contentRoot: string;
      readonly title?: string | undefined;
      readonly checkedMs: number;
      readonly stamp: string | null;
    },
  ): Promise<string> {
    return this.#options.publications.alone(async () => {
      const { info } = made;
      await this.#meetRemoved(made, place);
      const known = await this.#published(info);
      if (known) return known.id;
      const onDisk = infoOnDisk({ content_root: place.contentRoot }, info);
      const lost = await this.#countOtherFiles(onDisk, place.contentRoot);
      if (lost > 0) {
        throw new PublishError(
          "bad-declaration",
          `${lost} of its files cannot be found, cannot be read or have changed meanwhile.`,
        );
      }
      await this.#insert(made, place);
      return place.id;
    });
  }

  /** @returns The number of files that are missing or do not have their full length. */
  async #countOtherFiles(info: TorrentInfo, root: string): Promise<number> {
    let count = 0;
    for (const file of realFiles(info)) {
      // Opened, not only examined: a file may exist and be closed to us.
      const open = await this.#options.files.openRead(`${root}/${file.path.join("/")}`);
      if (open?.size !== file.length) count += 1;
      await open?.close();
    }
    return count;
  }

  async #insert(
    fetched: FetchedTorrent,
    place: {
      readonly id: string;
      readonly ownerId: string;
      readonly contentRoot: string | null;
      readonly title?: string | undefined;
      readonly checkedMs?: number;
      readonly stamp?: string | null;
    },
  ): Promise<void> {
    const { torrents, swarms, sharing, files, folder, clock } = this.#options;
    const { info, trackers, pieceLayers, webSeeds = [] } = fetched;
    const { comment, createdBy, creationDate } = fetched;
    const own = this.#options.trackers;
    const named = withoutTrackers(trackers, own);
    const torrent = assembleTorrent({
      infoBytes: info.infoBytes,
      trackers: named,
      pieceLayers,
      webSeeds,
      comment,
      createdBy,
      creationDate,
    });
    // Metainfo that cannot be parsed again must not be published.
    parseMetainfo(torrent);
    const key = infohashKey(wireInfohashes(info.infohashes)[0]!);
    const publishedMs = clock.wallMs();
    const entry: NewTorrent = {
      id: place.id,
      infohash_v1: info.infohashes.v1 ?? null,
      infohash_v2: info.infohashes.v2 ?? null,
      kind: info.kind,
      name: place.title ?? info.name,
      folder: info.folder ? 1 : 0,
      size: info.geometry.dataLength,
      file_count: info.files.filter((file) => !file.pad && !file.linkTarget).length,
      piece_size: info.geometry.pieceLength,
      piece_count: info.geometry.pieceCount,
      private: info.private ? 1 : 0,
      comment: descriptionOf(fetched),
      content_path: folder.contentPath(key),
      content_root: place.contentRoot,
      metainfo_path: folder.metainfoPath(key),
      publisher_id: place.ownerId,
      published_at: publishedMs,
      content_stamp: place.stamp ?? null,
      checked_at: Math.min(place.checkedMs ?? publishedMs, publishedMs),
      trackers: JSON.stringify(named),
    };
    await files.write(folder.absolute(entry.metainfo_path), torrent);
    await torrents.insert(entry, { words: searchText(descriptionOf(fetched), info) });
    swarms.register(info.infohashes);
    sharing.handlePublished();
  }

  async #meetRemoved(
    fetched: FetchedTorrent,
    place: { readonly ownerId: string; readonly title?: string | undefined },
  ): Promise<void> {
    const { info, trackers } = fetched;
    await this.#options.publications.meet(wireInfohashes(info.infohashes), {
      words: searchText(descriptionOf(fetched), info),
      name: place.title ?? info.name,
      comment: descriptionOf(fetched),
      trackers: JSON.stringify(withoutTrackers(trackers, this.#options.trackers)),
      publisher_id: place.ownerId,
      published_at: this.#options.clock.wallMs(),
    });
  }

  /**
   * The torrent, when it is already published. A failed write may have reached the database without the tracker
   * hearing of it.
   */
  async #published(info: TorrentInfo): Promise<TorrentRow | undefined> {
    const row = await this.#known(info);
    if (row) this.#options.swarms.register(infohashesOf(row));
    return row;
  }

  async #known(info: TorrentInfo): Promise<TorrentRow | undefined> {
    for (const wire of wireInfohashes(info.infohashes)) {
      const row = await this.#options.torrents.findByWire(wire);
      if (row) return row;
    }
    return undefined;
  }
}

/** Shown and edited on the torrent's page; null when its maker wrote none. */
function descriptionOf({ comment }: FetchedTorrent): string | null {
  const text = comment?.slice(0, COMMENT_CHARACTERS_MAX) ?? "";
  return text.trim() === "" ? null : text;
}
