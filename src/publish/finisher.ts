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

/** Files that are looked at before others may have a turn. */
const FILES_PER_STEP = 256;

export interface FinisherOptions {
  readonly torrents: TorrentTable;
  readonly drafts: DraftTable;
  readonly swarms: SwarmRegistry;
  /** Knows of damage that files' lengths do not show, and serves from what is replaced. */
  readonly everseed: Pick<Everseed, "isDamaged" | "replace">;
  /** Told of each new torrent, whose files may be here already. */
  readonly sharing: Pick<ContentSharing, "handlePublished">;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  /** The hub's own announce URLs: they are not stored with what is published. */
  readonly trackers: readonly string[];
  /** Nothing else happens to what is published while a torrent is made. */
  readonly publications: Pick<Publications, "alone" | "meet">;
}

/** Content whose pieces are hashed, and how it is to be published. */
export interface HashedContent {
  readonly declaration: Declaration;
  readonly plan: DraftPlan;
  readonly hashes: { readonly v1?: Uint8Array | undefined; readonly v2?: Uint8Array | undefined };
}

/** A draft whose every byte is durable and hashed. */
export interface FinishedDraft extends HashedContent {
  readonly row: DraftRow;
}

/**
 * Makes a torrent of a finished draft: metainfo, content in its place, a row in the catalogue, a swarm on
 * our tracker. Every step may be the last before a kill; done again, each finds what it did before:
 * the journal still holds the hashes, so the infohash and with it every path is the same.
 */
export class Finisher {
  readonly #options: FinisherOptions;

  constructor(options: FinisherOptions) {
    this.#options = options;
  }

  /** One at a time: two uploads of the same content must meet. */
  async finish(finished: FinishedDraft): Promise<void> {
    return this.alone(() => this.#finish(finished));
  }

  /** Runs `task` while no torrent is being made: what takes a draft away must not meet one that becomes public. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    return this.#options.publications.alone(task);
  }

  /**
   * Ends a draft when its torrent is here already, and whole. Its bytes need not have come.
   *
   * @param close - Lets the draft's files go; called when it ends.
   */
  async finishKnown(finished: FinishedDraft, close: () => Promise<void>): Promise<void> {
    const { row } = finished;
    await this.alone(async () => {
      const now = await this.#options.drafts.find(row.id);
      if (!now || now.state === "published") return;
      const { infohashes, info } = await this.#build(finished, row.created_at);
      const known = await this.#known(infohashes);
      // What the disk has lost needs the bytes.
      if (!known || !(await this.#isWhole(known, info))) return;
      await close();
      await this.#options.drafts.setPublished(row.id, known.id);
      await this.#cleanUp(row.id);
    });
  }

  /** @returns The id of the torrent that these pieces make, when it is here and whole. */
  async findKnown(content: HashedContent): Promise<string | undefined> {
    const { infohashes, info } = await this.#build(content, this.#options.clock.wallMs());
    const known = await this.#known(infohashes);
    return known && (await this.#isWhole(known, info)) ? known.id : undefined;
  }

  async #finish(finished: FinishedDraft): Promise<void> {
    const { torrents, drafts, files, folder, swarms, sharing, clock } = this.#options;
    const { row, plan } = finished;
    // It stood in line: meanwhile it may have been given up, or finished by another request.
    const now = await drafts.find(row.id);
    if (!now) throw new PublishError("not-found", "This upload was given up.");
    if (now.state === "published") return;
    const { torrent, infohashes, info } = await this.#build(finished, row.created_at);
    const text = searchText(finished.declaration.comment ?? null, info);
    await this.#meetRemoved(finished, infohashes, text);
    const known = await this.#known(infohashes);
    if (known) {
      // A database that failed may have written it all the same, unheard of by the tracker.
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

  /** The torrent is public by now: what stays of its draft is no failure, and goes at the next start. */
  async #cleanUp(draftId: string): Promise<void> {
    const { files, folder, log } = this.#options;
    try {
      await files.remove(folder.draft(draftId));
    } catch (error) {
      log.warn("the rest of a finished upload stays for now", { id: draftId, why: String(error) });
    }
  }

  /** So that giving the draft up takes its bytes along. */
  async #moveBack(
    { row }: FinishedDraft,
    infohashes: Infohashes,
    contentFolder: string,
  ): Promise<void> {
    const { files, folder, log } = this.#options;
    const source = folder.draftContent(row.id);
    try {
      // A database that failed while it wrote may have written all the same.
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

  /** The same content was here and was taken back: it comes back, as it is published now. */
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

  /** Who uploads again what the disk has lost brings it back (HUB-19). */
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
      // Where its owner kept it nothing is written; from now on this copy is the one.
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
    // Gone: moved by an attempt before this one. The folder alone says nothing, opening makes it again.
    if (!(await files.stat(`${source}/${name}`))) {
      if (await files.stat(`${target}/${name}`)) return;
      throw new PublishError("disk-error", "What was uploaded is gone from the disk of this hub.");
    }
    // There, though no torrent has it: left by somebody else's attempt that never came to its end.
    if (await files.stat(target)) await files.remove(target);
    await files.move(source, target);
  }
}

interface BuiltDraft {
  readonly torrent: Uint8Array;
  readonly infohashes: Infohashes;
  readonly info: TorrentInfo;
}

/** @param more.trackers - That are stored with it. */
function* build(
  { declaration, plan, hashes }: HashedContent,
  { trackers, createdMs }: { trackers: readonly (readonly string[])[]; createdMs: number },
): Work<BuiltDraft> {
  const { torrent, infohashes } = yield* buildMetainfoInSteps(plan.torrent, hashes, {
    trackers,
    private: declaration.private,
    comment: declaration.comment,
    source: declaration.source,
    // Of the declaration, so that a second attempt makes the same file.
    creationDate: Math.floor(createdMs / 1000),
  });
  yield;
  const { info } = yield* parseMetainfoInSteps(torrent);
  for (const [index, file] of info.files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    invariant(
      file.pad || file.path.join("/") === plan.contentFiles[index]!.path,
      "names were cleaned before, so everybody reads them as they lie on disk",
    );
  }
  return { torrent, infohashes, info };
}
