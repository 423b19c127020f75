import { wireInfohashes } from "../base/infohash.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { DraftTable } from "../store/drafts.ts";
import type { FileCopyTable } from "../store/file-copies.ts";
import type {
  BroughtBack,
  RemovedTorrentRow,
  RemovedTorrentTable,
} from "../store/removed-torrents.ts";
import type { TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Everseed } from "./everseed.ts";
import { HourlySweep } from "./hourly-sweep.ts";
import { PublishError } from "./publish-error.ts";
import { searchText } from "./search-text.ts";
import type { StoredContents } from "./stored-contents.ts";
import type { SwarmRegistry } from "./swarm-registry.ts";
import type { TorrentLibrary } from "./torrent-library.ts";
import type { TorrentVersions } from "./torrent-versions.ts";
import { infohashesOf } from "./row-infohashes.ts";

/** How long a removal can be undone (HUB-18). */
const KEPT_MS = 7 * 86_400_000;

export interface PublicationsOptions {
  readonly torrents: TorrentTable;
  readonly removed: RemovedTorrentTable;
  readonly drafts: Pick<DraftTable, "find">;
  readonly copies: FileCopyTable;
  readonly library: TorrentLibrary;
  readonly swarms: SwarmRegistry;
  readonly everseed: Pick<Everseed, "release">;
  /** Readers that are not peers. */
  readonly contents: Pick<StoredContents, "forget">;
  /** What the DHT says of a publication ends with it. */
  readonly versions: Pick<TorrentVersions, "handleRemoved" | "handleRestored">;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  readonly log: Log;
}

/** A removed torrent. */
export interface Removal {
  readonly id: string;
  /** Null once it is gone. */
  readonly title: string | null;
  readonly publisherId: string;
  /** The account that removed it; null when the account is gone. */
  readonly removedBy: string | null;
  readonly removedMs: number;
  /** Wall milliseconds until which it can be restored; null when it cannot. */
  readonly undoUntilMs: number | null;
}

/**
 * The life of a torrent after publication: its texts are changed, it is removed, it is restored, and after seven days
 * its bytes are deleted.
 *
 * A removal moves its row: from then on nothing finds it among the published torrents, while its files stay in place.
 * A kill may interrupt any step of the final deletion: the row tells what to do again.
 */
export class Publications {
  readonly #options: PublicationsOptions;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #sweep: HourlySweep;

  constructor(options: PublicationsOptions) {
    this.#options = options;
    this.#sweep = new HourlySweep(options.clock, async () => {
      try {
        await this.#purgeDue();
      } catch (error) {
        options.log.error("removed torrents stay for now", { why: String(error) });
      }
    });
  }

  /** Completes what a crash interrupted and what is due, now and every hour. */
  async start(): Promise<void> {
    await this.#purgeDue();
    this.#sweep.start();
  }

  /** Waits for running work. */
  async stop(): Promise<void> {
    await this.#sweep.stop();
    await this.#queue;
  }

  /** Runs `task` alone: nothing is published, removed, restored or deleted meanwhile. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Changes title and description.
   *
   * @throws {PublishError} (rejects) `not-found`.
   */
  async edit(id: string, texts: { readonly name: string; readonly comment: string | null }) {
    return this.alone(async () => {
      const { torrents } = this.#options;
      const row = await torrents.find(id);
      if (!row) throw notPublished();
      const name = texts.name.toWellFormed();
      const comment = texts.comment?.toWellFormed() ?? null;
      await torrents.edit(id, { name, comment }, await this.#searchText(row, comment));
    });
  }

  /**
   * Removes a torrent: no list shows it, no peer gets it from here, and its address says so.
   *
   * @param by - The account that removes it.
   * @throws {PublishError} (rejects) `not-found`.
   */
  async remove(id: string, by: string): Promise<Removal> {
    return this.alone(async () => {
      const { torrents, removed, swarms, versions, everseed, contents, clock, log } = this.#options;
      const row = await torrents.find(id);
      if (!row) throw notPublished();
      const words = await this.#searchText(row, row.comment);
      await removed.remove(id, { by, atMs: clock.wallMs(), words });
      swarms.unregister(infohashesOf(row));
      await versions.handleRemoved(id);
      await everseed.release(id);
      contents.forget(id);
      const removal = await this.findRemoved(id);
      if (!removal) throw notPublished();
      // Names can be given again to others, so the id is there, too.
      log.info("a torrent was removed", { id, by: removal.removedBy ?? "unknown", byId: by });
      return removal;
    });
  }

  /**
   * Restores a removed torrent.
   *
   * @throws {PublishError} (rejects) `not-found` when it was not removed, or its time is over.
   */
  async restore(id: string): Promise<void> {
    return this.alone(async () => {
      const row = await this.#options.removed.find(id);
      if (!row || !(await this.#bringBack(row, {}))) throw notPublished();
    });
  }

  /** @param id - Of the torrent, or of the draft it came from. */
  async findRemoved(id: string): Promise<Removal | undefined> {
    const { removed, drafts } = this.#options;
    let row = await removed.find(id);
    const torrentId = row ? null : (await drafts.find(id))?.torrent_id;
    if (torrentId) row = await removed.find(torrentId);
    return row && this.#removal(row);
  }

  /**
   * Makes way for content that is published again, inside of `alone`: a removed torrent that is still kept comes back
   * with the new texts, any other is deleted completely.
   *
   * @param wires - Infohashes of 20 bytes.
   */
  async meet(
    wires: readonly Uint8Array[],
    changes: BroughtBack & { readonly words: string },
  ): Promise<void> {
    for (const wire of wires) {
      const row = await this.#options.removed.findByWire(wire);
      if (row && !(await this.#bringBack(row, changes))) await this.#purge(row);
    }
  }

  async #bringBack(
    row: RemovedTorrentRow,
    changes: BroughtBack & { readonly words?: string },
  ): Promise<boolean> {
    const { torrents, removed, swarms, versions, log } = this.#options;
    if (this.#removal(row).undoUntilMs === null) return false;
    // Its content came here by another way meanwhile.
    for (const wire of wireInfohashes(infohashesOf(row))) {
      if (await torrents.findByWire(wire)) return false;
    }
    if (!(await removed.restore(row.id, changes))) return false;
    swarms.register(infohashesOf(row));
    await versions.handleRestored(row.id);
    log.info("a removed torrent is back", { id: row.id });
    return true;
  }

  #removal(row: RemovedTorrentRow): Removal {
    const { clock } = this.#options;
    const untilMs = row.removed_at + KEPT_MS;
    return {
      id: row.id,
      title: row.torrent?.name ?? null,
      publisherId: row.publisher_id,
      removedBy: row.remover,
      removedMs: row.removed_at,
      undoUntilMs: row.state === "kept" && clock.wallMs() < untilMs ? untilMs : null,
    };
  }

  async #purgeDue(): Promise<void> {
    const { removed, clock, log } = this.#options;
    for (const row of await removed.listDue(clock.wallMs() - KEPT_MS)) {
      try {
        await this.alone(async () => {
          const now = await removed.find(row.id);
          if (now && now.state !== "gone") await this.#purge(now);
        });
      } catch (error) {
        log.error("the bytes of a removed torrent stay for now", {
          id: row.id,
          why: String(error),
        });
      }
    }
  }

  /** Files first, the row last: after a kill in between, the row tells what is still to be done. */
  async #purge(row: RemovedTorrentRow): Promise<void> {
    const { removed, copies, torrents, library, folder, files, log } = this.#options;
    await removed.setPurging(row.id);
    library.forget(row.id);
    if (row.torrent) {
      const { content_path: contentPath, metainfo_path: metainfoPath } = row.torrent;
      // An owner's folder is not ours to delete. Files that other torrents share keep their names there.
      if (folder.isOwnContent(contentPath) && !(await torrents.holdsContent(contentPath))) {
        await copies.deleteBelow(contentPath);
        await files.remove(folder.absolute(contentPath));
      }
      await files.remove(folder.absolute(metainfoPath));
    }
    await removed.setGone(row.id);
    log.info("a removed torrent is gone with its bytes", { id: row.id });
  }

  async #searchText(row: TorrentRow, comment: string | null): Promise<string> {
    const metainfo = await this.#options.library.load(row);
    return searchText(comment, metainfo?.info ?? { name: "", files: [] });
  }
}

function notPublished(): PublishError {
  return new PublishError("not-found", "There is no such torrent, or its time is over.");
}
