import { invariant } from "../base/errors.ts";
import type { Work } from "../base/work.ts";
import { infohashKey, type Infohashes, wireInfohashes } from "../base/infohash.ts";
import { buildMetainfoInSteps } from "../metainfo/create.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import { parseMetainfoInSteps } from "../metainfo/parse-metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { DraftRow, DraftTable } from "../store/drafts.ts";
import type { NewTorrent, TorrentRow, TorrentTable } from "../store/torrents.ts";
import type { ContentSharing } from "./content-sharing.ts";
import type { DataFolder } from "./data-folder.ts";
import type { Declaration, DraftPlan } from "./draft-plan.ts";
import type { Everseed } from "./everseed.ts";
import { withoutTrackers } from "./named-trackers.ts";
import { PublishError } from "./publish-error.ts";
import type { Publications } from "./publications.ts";
import { countLostFiles } from "./content-rounds.ts";
import { infohashesOf } from "./row-infohashes.ts";
import { searchText } from "./search-text.ts";
import { infoOnDisk } from "./in-place.ts";
import type { SwarmRegistry } from "./swarm-registry.ts";
import type { Turns } from "./turns.ts";

/** Files that are processed before other work gets a turn. */
const FILES_PER_STEP = 256;

export interface FinisherOptions {
  readonly torrents: TorrentTable;
  readonly drafts: DraftTable;
  readonly swarms: SwarmRegistry;
  /** Knows of damage that file lengths do not show, and serves the content that may be replaced. */
  readonly everseed: Pick<Everseed, "isDamaged" | "replace">;
  /** Told of each new torrent, because its files may already be here. */
  readonly sharing: Pick<ContentSharing, "handlePublished">;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  /** The hub's own announce URLs, which are not stored with a torrent. */
  readonly trackers: readonly string[];
  /** Runs one change of the catalogue at a time, this one included. */
  readonly publications: Pick<Publications, "alone" | "meet">;
}

/** Content whose pieces are hashed, with the options for publishing it. */
export interface HashedContent {
  readonly declaration: Declaration;
  readonly plan: DraftPlan;
  readonly hashes: { readonly v1?: Uint8Array | undefined; readonly v2?: Uint8Array | undefined };
}

/** A draft whose bytes are all durable and hashed. */
export interface FinishedDraft extends HashedContent {
  readonly row: DraftRow;
}

/**
 * Makes a torrent of a finished draft: metainfo, content in its place, a row in the catalogue, a swarm on our
 * tracker. A kill may follow any step; repeated, each step finds its earlier result: the journal still holds the
 * hashes, so the infohash and all paths are the same.
 */
export class Finisher {
  readonly #options: FinisherOptions;

  constructor(options: FinisherOptions) {
    this.#options = options;
  }

  /** One at a time, so that two uploads of the same content meet. */
  async finish(finished: FinishedDraft): Promise<void> {
    return this.alone(() => this.#finish(finished));
  }

  /** Runs `task` while no torrent is being made: deleting a draft must not collide with publishing it. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    return this.#options.publications.alone(task);
  }

  /**
   * Ends a draft when its torrent is already here and whole. Its bytes need not have arrived.
   *
   * @param close - Closes the draft's files; called when the draft ends.
   */
  async finishKnown(finished: FinishedDraft, close: () => Promise<void>): Promise<void> {
    const { row } = finished;
    await this.alone(async () => {
      const now = await this.#options.drafts.find(row.id);
      if (!now || now.state === "published") return;
      const { infohashes, info } = await this.#build(finished, row.created_at);
      const known = await this.#known(infohashes);
      // The bytes are needed to repair what the disk has lost.
      if (!known || !(await this.#isWhole(known, info))) return;
      await close();
      await this.#options.drafts.setPublished(row.id, known.id);
      await this.#cleanUp(row.id);
    });
  }

  /** @returns The id of the torrent with these pieces, when it is here and whole. */
  async findKnown(content: HashedContent): Promise<string | undefined> {
    const { infohashes, info } = await this.#build(content, this.#options.clock.wallMs());
    const known = await this.#known(infohashes);
    return known && (await this.#isWhole(known, info)) ? known.id : undefined;
  }

  async #finish(finished: FinishedDraft): Promise<void> {
    const { torrents, drafts, files, folder, swarms, sharing, clock } = this.#options;
    const { row, plan } = finished;
    // It waited in line, and may have been cancelled or finished meanwhile.
    const now = await drafts.find(row.id);
    if (!now) throw new PublishError("not-found", "This upload was given up.");
    if (now.state === "published") return;
    const { torrent, infohashes, info } = await this.#build(finished, row.created_at);
    const text = searchText(finished.declaration.comment ?? null, info);
    await this.#meetRemoved(finished, infohashes, text);
    const known = await this.#known(infohashes);
    if (known) {
      // A failed write may have reached the database all the same, without the tracker hearing of it.
      swarms.register(infohashesOf(known));
      await this.#repair(known, finished, { torrent, info });
      await drafts.setPublished(row.id, known.id);
      await this.#cleanUp(row.id);
      return;
    }
    const key = infohashKey(wireInfohashes(infohashes)[0]!);
    const [contentPath, metainfoPath] = [folder.contentPath(key), folder.metainfoPath(key)];
    await this.#moveContent(finished, folder.absolute(contentPath));
    const publishedMs = clock.wallMs();
    const entry: NewTorrent = {
      id: row.id,
      infohash_v1: infohashes.v1 ?? null,
      infohash_v2: infohashes.v2 ?? null,
      kind: row.kind,
      name: plan.title,
      folder: info.folder ? 1 : 0,
      size: plan.layout.size,
      file_count: row.file_count,
      piece_size: info.geometry.pieceLength,
      piece_count: info.geometry.pieceCount,
      private: info.private ? 1 : 0,
      comment: finished.declaration.comment ?? null,
      content_path: contentPath,
      metainfo_path: metainfoPath,
      publisher_id: row.owner_id,
      published_at: publishedMs,
      checked_at: publishedMs,
      trackers: JSON.stringify(this.#namedTrackers(finished.declaration)),
    };
    try {
      await files.write(folder.absolute(metainfoPath), torrent);
      await torrents.insert(entry, { words: text, draftId: row.id });
    } catch (error) {
      await this.#moveBack(finished, infohashes, folder.absolute(contentPath));
      throw error;
    }
    swarms.register(infohashes);
    sharing.handlePublished();
    await this.#cleanUp(row.id);
  }

  /** The torrent is public by now, so leftovers of its draft are not a failure; the next start removes them. */
  async #cleanUp(draftId: string): Promise<void> {
    const { files, folder, log } = this.#options;
    try {
      await files.remove(folder.draft(draftId));
    } catch (error) {
      log.warn("the rest of a finished upload stays for now", { id: draftId, why: String(error) });
    }
  }

  /** Moves the content back, so that cancelling the draft deletes its bytes. */
  async #moveBack(
    { row }: FinishedDraft,
    infohashes: Infohashes,
    contentFolder: string,
  ): Promise<void> {
    const { files, folder, log } = this.#options;
    const source = folder.draftContent(row.id);
    try {
      // A failed write may have reached the database all the same.
      if (await this.#known(infohashes)) return;
      await files.remove(source);
      await files.move(contentFolder, source);
    } catch (error) {
      // The next attempt looks for it in both places.
      log.warn("content of an upload waits where its torrent will be", {
        id: row.id,
        why: String(error),
      });
    }
  }

  async #build(content: HashedContent, createdMs: number): Promise<BuiltDraft> {
    try {
      return await this.#options.turns.run(
        build(content, { createdMs, trackers: this.#namedTrackers(content.declaration) }),
      );
    } catch (error) {
      if (!(error instanceof MetainfoError)) throw error;
      throw new PublishError("bad-declaration", `No torrent can be made: ${error.detail}.`, {
        cause: error,
      });
    }
  }

  #namedTrackers({ trackers = [] }: Declaration): string[][] {
    const tiers = trackers.map((url) => [url]);
    return withoutTrackers(tiers, this.#options.trackers);
  }

  /** The same content was removed here: it comes back with the new texts. */
  async #meetRemoved(
    { row, plan, declaration }: FinishedDraft,
    infohashes: Infohashes,
    words: string,
  ): Promise<void> {
    await this.#options.publications.meet(wireInfohashes(infohashes), {
      words,
      name: plan.title,
      comment: declaration.comment ?? null,
      trackers: JSON.stringify(this.#namedTrackers(declaration)),
      publisher_id: row.owner_id,
      published_at: this.#options.clock.wallMs(),
    });
  }

  async #known(infohashes: Infohashes): Promise<TorrentRow | undefined> {
    for (const wire of wireInfohashes(infohashes)) {
      const row = await this.#options.torrents.findByWire(wire);
      if (row) return row;
    }
    return undefined;
  }

  /** A new upload of the same content restores what the disk has lost (HUB-19). */
  async #repair(
    known: TorrentRow,
    finished: FinishedDraft,
    { torrent, info }: { torrent: Uint8Array; info: TorrentInfo },
  ): Promise<void> {
    const { torrents, everseed, files, folder, log } = this.#options;
    const metainfoPath = folder.absolute(known.metainfo_path);
    if (!(await files.stat(metainfoPath))) await files.write(metainfoPath, torrent);
    if (await this.#isWhole(known, info)) return;
    await everseed.replace(known.id, async () => {
      await this.#moveContent(finished, folder.absolute(known.content_path));
      // The owner's folder is never written; from now on this copy is used.
      if (known.content_root !== null) await torrents.keepContent(known.id);
    });
    log.info("lost content of a torrent came back with an upload", { id: known.id });
  }

  async #isWhole(known: TorrentRow, info: TorrentInfo): Promise<boolean> {
    const { everseed, files, folder } = this.#options;
    if (!(await files.stat(folder.absolute(known.metainfo_path)))) return false;
    if (everseed.isDamaged(known.id)) return false;
    const onDisk = infoOnDisk(known, info);
    return (await countLostFiles(onDisk, folder.contentRoot(known), files)) === 0;
  }

  async #moveContent({ row, plan }: FinishedDraft, target: string): Promise<void> {
    const { files, folder } = this.#options;
    const source = folder.draftContent(row.id);
    const { name } = plan.torrent;
    // Missing: an earlier attempt moved it. The folder alone proves nothing, because opening creates it.
    if (!(await files.stat(`${source}/${name}`))) {
      if (await files.stat(`${target}/${name}`)) return;
      throw new PublishError("disk-error", "What was uploaded is gone from the disk of this hub.");
    }
    // It is there without a torrent: left by an attempt that did not finish.
    if (await files.stat(target)) await files.remove(target);
    await files.move(source, target);
  }
}

interface BuiltDraft {
  readonly torrent: Uint8Array;
  readonly infohashes: Infohashes;
  readonly info: TorrentInfo;
}

/** @param more.trackers - Trackers to store with it. */
function* build(
  { declaration, plan, hashes }: HashedContent,
  { trackers, createdMs }: { trackers: readonly (readonly string[])[]; createdMs: number },
): Work<BuiltDraft> {
  const { torrent, infohashes } = yield* buildMetainfoInSteps(plan.torrent, hashes, {
    trackers,
    private: declaration.private,
    comment: declaration.comment,
    source: declaration.source,
    // The time of the declaration, so that a second attempt makes the same file.
    creationDate: Math.floor(createdMs / 1000),
  });
  yield;
  const { info } = yield* parseMetainfoInSteps(torrent);
  for (const [index, file] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    invariant(
      file.pad || file.path.join("/") === plan.contentFiles[index]!.path,
      "names were cleaned before, so everybody reads them as they are on disk",
    );
  }
  return { torrent, infohashes, info };
}
