import type { Work } from "../base/work.ts";
import { openInSteps } from "../engine/content-layout.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentLayout, ContentSource, OpenContent } from "../ports/content.ts";
import type { Files } from "../ports/files.ts";
import type { Log } from "../ports/log.ts";
import type { DraftRow, DraftTable } from "../store/drafts.ts";
import type { DataFolder } from "./data-folder.ts";
import { type Declaration, type DraftPlan, planDraft } from "./draft-plan.ts";
import { decodeJournal, recordBytes } from "./hash-journal.ts";
import { PublishError } from "./publish-error.ts";
import type { SlabLine } from "./slab-line.ts";
import type { Turns } from "./turns.ts";
import { Upload } from "./upload.ts";

/** An upload nobody sends to holds files open and its plan in memory; after this long it is put away. */
const IDLE_MS = 60_000;

export interface DraftUploadsOptions {
  readonly drafts: DraftTable;
  readonly folder: DataFolder;
  readonly files: Files;
  readonly content: ContentSource;
  readonly slabs: SlabLine;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
}

/** What was declared, and what it means. */
export interface DraftContent {
  readonly declaration: Declaration;
  readonly plan: DraftPlan;
}

/** A draft that is open for bytes. */
export interface OpenDraft extends DraftContent {
  readonly upload: Upload;
}

/** The uploads that are open at the moment, one for each draft somebody sends to or asks about. */
export class DraftUploads {
  readonly #options: DraftUploadsOptions;
  readonly #open = new Map<string, Promise<OpenDraft>>();
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  constructor(options: DraftUploadsOptions) {
    this.#options = options;
  }

  /** How far an upload got: of one that is not open what is durable. */
  async offset(row: DraftRow): Promise<number> {
    const open = await this.#open.get(row.id);
    return open ? open.upload.offset : row.durable;
  }

  /**
   * Opens the draft where its journal ends; an open one is shared.
   *
   * @param known - What was declared, when the caller has made sense of it already.
   */
  async open(row: DraftRow, known?: DraftContent): Promise<OpenDraft> {
    if (this.#closed) throw new PublishError("closed", "This hub is shutting down.");
    let opening = this.#open.get(row.id);
    if (!opening) {
      opening = this.#load(row, known);
      this.#open.set(row.id, opening);
      opening.catch(() => this.#open.delete(row.id));
    }
    const open = await opening;
    this.#rest(row.id);
    return open;
  }

  /** Puts an upload away, waiting for what is under way; harmless when it is not open. */
  async close(id: string): Promise<void> {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const opening = this.#open.get(id);
    if (!opening) return;
    const open = await opening;
    try {
      await open.upload.close();
    } finally {
      // Only now: somebody who opens it anew must find files nobody writes to.
      if (this.#open.get(id) === opening) this.#open.delete(id);
    }
  }

  /** Waits for all, then rejects with the first trouble there was. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    const ends = await Promise.allSettled([...this.#open.keys()].map((id) => this.close(id)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** Starts the time to wait before an upload that nobody uses is put away. */
  #rest(id: string): void {
    this.#timers.get(id)?.cancel();
    this.#timers.set(
      id,
      this.#options.clock.startTimer(IDLE_MS, () => {
        this.#putAway(id).catch((error: unknown) => {
          this.#options.log.warn("an upload was not put away well", { id, why: String(error) });
        });
      }),
    );
  }

  async #putAway(id: string): Promise<void> {
    const open = await this.#open.get(id);
    if (open?.upload.receiving) this.#rest(id);
    else await this.close(id);
  }

  async #load(row: DraftRow, known: DraftContent | undefined): Promise<OpenDraft> {
    const { drafts, folder, files, slabs, clock } = this.#options;
    const { declaration, plan } = known ?? (await this.#read(row));
    const path = folder.draftJournal(row.id);
    const { pieceCount } = plan.layout.geometry;
    const written = (await files.read(path)) ?? new Uint8Array(0);
    const records = decodeJournal(written, plan.kinds, pieceCount);
    const journal = await files.openAppend(path, records.length * recordBytes(plan.kinds));
    const upload = new Upload({
      layout: plan.layout,
      kinds: plan.kinds,
      content: await this.#openContent(row.id, plan),
      journal,
      slabs,
      clock,
      records,
      durable: row.durable,
      saveDurable: (bytes) => drafts.setDurable(row.id, bytes, clock.wallMs()),
    });
    return { declaration, plan, upload };
  }

  async #read(row: DraftRow): Promise<DraftContent> {
    const { drafts, turns } = this.#options;
    const text = await drafts.declaration(row.id);
    if (text === null) throw new PublishError("not-found", "This upload has ended.");
    return turns.run(readDraft(text));
  }

  async #openContent(id: string, plan: DraftPlan): Promise<OpenContent> {
    const { content, turns } = this.#options;
    const layout: ContentLayout = {
      root: this.#options.folder.draftContent(id),
      geometry: plan.layout.geometry,
      files: plan.contentFiles,
      // Nothing is expected: the hashes are what the upload finds out.
      hashes: {},
      partFile: `${this.#options.folder.draft(id)}/parts`,
      readOnly: false,
      existing: "own",
    };
    return turns.run(openInSteps(content, layout));
  }
}

/** @param text - Written by ourselves, after it was checked. */
function* readDraft(text: string): Work<DraftContent> {
  const declaration = JSON.parse(text) as Declaration;
  yield;
  return { declaration, plan: yield* planDraft(declaration) };
}
