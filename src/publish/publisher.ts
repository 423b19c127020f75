import { encodeUtf8 } from "../base/bytes.ts";
import { formatBytes } from "../base/format-bytes.ts";
import { sha256 } from "../base/hash.ts";
import { stringifyJsonInSteps } from "../base/json-in-steps.ts";
import type { Work } from "../base/work.ts";
import type { TorrentKind } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import type { DraftRow, DraftTable } from "../store/drafts.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Declaration, type DraftPlan, planDraft } from "./draft-plan.ts";
import type { DraftContent, DraftUploads, OpenDraft } from "./draft-uploads.ts";
import type { FinishedDraft, Finisher, HashedContent } from "./finisher.ts";
import { HourlySweep } from "./hourly-sweep.ts";
import { diskError, PublishError } from "./publish-error.ts";
import { randomShortId } from "./short-id.ts";
import type { SpaceAccount } from "./space-account.ts";
import type { Turns, Workers } from "./turns.ts";

/** Unfinished uploads one person may have. */
const DRAFTS_MAX = 100;
const ABANDONED_MS = 7 * 86_400_000;
const SHA1_BYTES = 20;
const NODE_BYTES = 32;

export interface PublishLimits {
  /** Limit of bytes for one upload; with `undefined`, the disk is the limit. */
  readonly uploadBytesMax: number | undefined;
  /** Limit of bytes for one piece: whole pieces are in memory while they are hashed. */
  readonly pieceBytesMax: number;
}

export interface PublisherOptions {
  readonly drafts: DraftTable;
  readonly uploads: DraftUploads;
  readonly finisher: Finisher;
  readonly space: SpaceAccount;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly limits: PublishLimits;
  readonly turns: Turns;
}

/** A declared upload and its progress. */
export interface Draft {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly folder: boolean;
  readonly fileCount: number;
  readonly size: number;
  /** Bytes the hub has. */
  readonly offset: number;
  readonly kind: TorrentKind;
  readonly pieceSize: number;
  readonly private: boolean;
  readonly createdMs: number;
  readonly state: "uploading" | "published" | "failed";
  readonly problem: string | null;
  /** Set when published; another torrent's id when the content was already here. */
  readonly torrentId: string | null;
}

export interface DeclaredDraft {
  readonly draft: Draft;
  readonly order: readonly number[];
  readonly renamed: DraftPlan["renamed"];
  /** True when an unfinished draft with the same declaration was found. */
  readonly resumed: boolean;
}

/** Takes declarations and bytes, and turns them into published torrents. */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #digests = new Map<string, Promise<unknown>>();
  readonly #sweep: HourlySweep;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#sweep = new HourlySweep(options.clock, async () => {
      try {
        await this.#removeAbandoned();
      } catch (error) {
        options.log.warn("abandoned uploads stay for now", { why: String(error) });
      }
    });
  }

  /** Completes what a crash interrupted and deletes abandoned drafts, now and every hour. */
  async start(): Promise<void> {
    await this.#removeStrays();
    await this.#removeAbandoned();
    await this.#finishComplete();
    this.#sweep.start();
  }

  /** Stops running uploads; everything that arrived is durable and continues after the next start. */
  async stop(): Promise<void> {
    await this.#sweep.stop();
    await this.#options.uploads.closeAll();
  }

  /**
   * Declares an upload. The same declaration by the same person finds the unfinished one again.
   *
   * @param workers - Pays for processing the declaration; by default the hub itself.
   * @throws {PublishError} (rejects) `too-large`, `too-many-drafts`, `bad-declaration`, `disk-full`.
   */
  async declare(
    ownerId: string,
    declaration: Declaration,
    workers: Workers = this.#options.turns,
  ): Promise<DeclaredDraft> {
    const { text, digest } = await workers.run(digestOf(declaration));
    // One at a time for each declaration, so that a double click makes one draft.
    const key = `${ownerId} ${digest.join()}`;
    const before = this.#digests.get(key) ?? Promise.resolve();
    const declared = before.then(async () => {
      const plan = await workers.run(planDraft(declaration));
      return this.#declare(ownerId, { declaration, plan }, { text, digest });
    });
    const settled = declared.catch(() => undefined);
    this.#digests.set(key, settled);
    try {
      return await declared;
    } finally {
      if (this.#digests.get(key) === settled) this.#digests.delete(key);
    }
  }

  /** @returns `undefined` when it never existed, or was cancelled. */
  async find(id: string): Promise<Draft | undefined> {
    const row = await this.#options.drafts.find(id);
    if (!row) return undefined;
    if (row.state === "published") return view(row, row.size);
    return view(row, (await this.#options.uploads.open(row)).upload.offset);
  }

  /** The same without opening anything, for people who only look. `offset` may be behind, but is durable. */
  async look(id: string): Promise<Draft | undefined> {
    const row = await this.#options.drafts.find(id);
    if (!row) return undefined;
    if (row.state === "published") return view(row, row.size);
    return view(row, await this.#options.uploads.offset(row));
  }

  /** A person's unfinished uploads, newest first. `offset` is the durable one. */
  async listOpen(ownerId: string): Promise<Draft[]> {
    const rows = await this.#options.drafts.listOpen(ownerId);
    return rows.map((row) => view(row, row.durable));
  }

  /**
   * Receives bytes of a draft. When the last one has arrived, the torrent exists before this settles.
   *
   * @returns The new offset.
   * @throws {PublishError} (rejects) Also after bytes were received: `find` then returns the offset.
   */
  async receive(id: string, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    const row = await this.#options.drafts.find(id);
    if (!row || row.state === "published") {
      throw new PublishError("not-found", "There is no such upload, or it has ended.");
    }
    const open = await this.#options.uploads.open(row);
    try {
      const reached = await open.upload.receive(offset, body);
      if (open.upload.complete) await this.#finish(row, open);
      return reached;
    } catch (error) {
      // A failed upload is opened again next time, from its durable bytes.
      if (error instanceof PublishError && error.code !== "bad-offset") {
        await this.#options.uploads.close(id);
      }
      throw error;
    }
  }

  /**
   * Checks, by the hashes of all pieces, whether the content is already here; the hashes may come before the bytes or
   * during the upload. If it is, the draft ends and its id leads to the existing torrent.
   *
   * @param hashes - For the draft's kind. They are trusted only to find known content; received bytes are always
   *   hashed.
   * @throws {PublishError} (rejects) `bad-declaration` when the draft has other pieces.
   */
  async recognise(id: string, hashes: HashedContent["hashes"]): Promise<Draft> {
    const { drafts, uploads, finisher } = this.#options;
    const row = await drafts.find(id);
    if (!row) throw new PublishError("not-found", "There is no such upload, or it has ended.");
    if (row.state === "published") return view(row, row.size);
    const { declaration, plan } = await uploads.open(row);
    if (!fitsPlan(hashes, plan)) {
      throw new PublishError("bad-declaration", "These are not the piece hashes of this upload.");
    }
    await finisher.finishKnown({ row, declaration, plan, hashes }, () => uploads.close(id));
    const draft = await this.find(id);
    if (!draft) throw new PublishError("not-found", "This upload was given up.");
    return draft;
  }

  /**
   * The same without a draft: checks whether content is here before somebody decides to upload it.
   *
   * @param declaration - Its files must be in the order of the torrent, or nothing is found.
   * @returns The id of the torrent with this content.
   * @throws {PublishError} (rejects) `bad-declaration`, also when the number of hashes does not fit.
   */
  async findKnown(
    declaration: Declaration,
    hashes: HashedContent["hashes"],
    workers: Workers = this.#options.turns,
  ): Promise<string | undefined> {
    const plan = await workers.run(planDraft(declaration));
    if (!fitsPlan(hashes, plan)) {
      throw new PublishError("bad-declaration", "These are not the piece hashes of these files.");
    }
    if (plan.order.some((input, index) => input !== index)) return undefined;
    return this.#options.finisher.findKnown({ declaration, plan, hashes });
  }

  /**
   * Cancels a draft and deletes everything that was uploaded.
   *
   * @throws {PublishError} (rejects) `not-found` when its last byte arrived first: it is a torrent now.
   */
  async discard(id: string): Promise<void> {
    const { drafts, uploads, finisher, files, folder } = this.#options;
    await uploads.close(id);
    await finisher.alone(async () => {
      if ((await drafts.find(id))?.state === "published") {
        throw new PublishError("not-found", "This upload has ended: it is published.");
      }
      await drafts.delete(id);
      await files.remove(folder.draft(id));
    });
  }

  async #declare(
    ownerId: string,
    content: DraftContent,
    { text, digest }: { text: string; digest: Uint8Array },
  ): Promise<DeclaredDraft> {
    const { drafts } = this.#options;
    const { declaration, plan } = content;
    const known = await drafts.findOpen(ownerId, digest);
    const row = known ?? (await this.#insert(ownerId, plan, { declaration, text, digest }));
    const open = await this.#options.uploads.open(row, content);
    if (plan.layout.size === 0 && !open.upload.receiving) await open.upload.receive(0, nothing());
    // All bytes are here: the files are empty, or an earlier finish failed.
    if (open.upload.complete && !open.upload.receiving) await this.#finish(row, open);
    const draft = await this.find(row.id);
    if (!draft) throw new PublishError("closed", "This upload was given up meanwhile.");
    return { draft, order: plan.order, renamed: plan.renamed, resumed: known !== undefined };
  }

  async #insert(
    ownerId: string,
    plan: DraftPlan,
    { declaration, text, digest }: { declaration: Declaration; text: string; digest: Uint8Array },
  ): Promise<DraftRow> {
    this.#refuseTooLarge(plan);
    return this.#options.space.claim(plan.layout.size, async () => {
      await this.#refuseTooMany(ownerId);
      return this.#insertRow(ownerId, plan, { declaration, text, digest });
    });
  }

  async #insertRow(
    ownerId: string,
    plan: DraftPlan,
    { declaration, text, digest }: { declaration: Declaration; text: string; digest: Uint8Array },
  ): Promise<DraftRow> {
    const { drafts, clock, random } = this.#options;
    const now = clock.wallMs();
    for (;;) {
      const id = randomShortId(random);
      if (await drafts.find(id)) continue;
      return drafts.insert({
        id,
        owner_id: ownerId,
        digest,
        declaration: text,
        name: plan.title,
        folder: plan.torrent.folder ? 1 : 0,
        kind: declaration.kind,
        size: plan.layout.size,
        file_count: declaration.files.length,
        piece_size: plan.torrent.geometry.pieceLength,
        private: declaration.private ? 1 : 0,
        created_at: now,
        touched_at: now,
      });
    }
  }

  #refuseTooLarge(plan: DraftPlan): void {
    const { limits } = this.#options;
    const { size } = plan.layout;
    if (limits.uploadBytesMax !== undefined && size > limits.uploadBytesMax) {
      throw new PublishError(
        "too-large",
        `The limit here is ${formatBytes(limits.uploadBytesMax)}; this is ${formatBytes(size)}.`,
      );
    }
    if (plan.torrent.geometry.pieceLength > limits.pieceBytesMax) {
      throw new PublishError(
        "bad-declaration",
        `Pieces may have ${limits.pieceBytesMax / 1024 ** 2} MiB at most on this hub.`,
      );
    }
  }

  async #refuseTooMany(ownerId: string): Promise<void> {
    const { count } = await this.#options.drafts.openTotals(ownerId);
    if (count >= DRAFTS_MAX) {
      throw new PublishError(
        "too-many-drafts",
        `${count} uploads are unfinished. Finish or cancel one of them first.`,
      );
    }
  }

  async #finish(row: DraftRow, open: OpenDraft): Promise<void> {
    const { uploads, finisher, drafts, log } = this.#options;
    const finished: FinishedDraft = {
      row,
      declaration: open.declaration,
      plan: open.plan,
      hashes: open.upload.hashes(),
    };
    // Nobody writes to the files any more when they are moved.
    await uploads.close(row.id);
    try {
      await finisher.finish(finished);
    } catch (error) {
      if (error instanceof PublishError && error.code === "not-found") throw error;
      const problem =
        error instanceof PublishError
          ? error
          : diskError({ code: codeOf(error), message: String(error) });
      log.error("an upload could not be published", { id: row.id, why: String(error) });
      await drafts.setFailed(row.id, problem.detail);
      throw problem;
    }
  }

  async #finishComplete(): Promise<void> {
    const { drafts, uploads, log } = this.#options;
    for (const id of await drafts.listOpenIds()) {
      const row = await drafts.find(id);
      if (!row || row.durable < row.size) continue;
      try {
        const open = await uploads.open(row);
        if (open.upload.complete) await this.#finish(row, open);
      } catch (error) {
        log.warn("an upload is still not published", { id, why: String(error) });
      }
    }
  }

  /** Folders of deleted drafts, left by a kill between two steps. */
  async #removeStrays(): Promise<void> {
    const { drafts, files, folder } = this.#options;
    const open = new Set(await drafts.listOpenIds());
    for (const id of await files.list(`${folder.root}/uploads`)) {
      if (!open.has(id)) await files.remove(folder.draft(id));
    }
  }

  async #removeAbandoned(): Promise<void> {
    const { drafts, clock, log } = this.#options;
    for (const id of await drafts.listAbandoned(clock.wallMs() - ABANDONED_MS)) {
      log.info("an abandoned upload is thrown away", { id });
      await this.discard(id);
    }
  }
}

function fitsPlan({ v1, v2 }: HashedContent["hashes"], { kinds, layout }: DraftPlan): boolean {
  const { pieceCount } = layout.geometry;
  return (
    v1?.length === (kinds.v1 ? pieceCount * SHA1_BYTES : undefined) &&
    v2?.length === (kinds.v2 ? pieceCount * NODE_BYTES : undefined)
  );
}

/** The parts that make two declarations the same. */
function* digestOf(declaration: Declaration): Work<{ text: string; digest: Uint8Array }> {
  const text = yield* stringifyJsonInSteps(declaration);
  yield;
  const bytes = encodeUtf8(text);
  yield;
  return { text, digest: sha256(bytes) };
}

function view(row: DraftRow, offset: number): Draft {
  return {
    id: row.id,
    ownerId: row.owner_id,
    name: row.name,
    folder: row.folder === 1,
    fileCount: row.file_count,
    size: row.size,
    offset,
    kind: row.kind,
    pieceSize: row.piece_size,
    private: row.private === 1,
    createdMs: row.created_at,
    state: row.state,
    problem: row.problem,
    torrentId: row.torrent_id,
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // Ends at once.
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
