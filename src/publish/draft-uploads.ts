import { parseJsonInSteps } from "../base/json-in-steps.ts";
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

/** An open upload holds files and its plan in memory; after this long without a sender it is closed. */
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

/** The declaration and the plan made from it. */
export interface DraftContent {
  readonly declaration: Declaration;
  readonly plan: DraftPlan;
}

/** A draft that can receive bytes. */
export interface OpenDraft extends DraftContent {
  readonly upload: Upload;
}

/** The uploads that are open now, one for each draft that somebody sends to or asks about. */
export class DraftUploads {
  readonly #options: DraftUploadsOptions;
  readonly #open = new Map<string, Promise<OpenDraft>>();
  readonly #timers = new Map<string, Timer>();
  #closed = false;

  constructor(options: DraftUploadsOptions) {
    this.#options = options;
  }

  /** How many bytes of an upload have arrived; for a closed one, how many are durable. */
  async offset(row: DraftRow): Promise<number> {
    const open = await this.#open.get(row.id);
    return open ? open.upload.offset : row.durable;
  }

  /**
   * Opens the draft where its journal ends; callers share an open one.
   *
   * @param known - The declaration, when the caller has parsed it already.
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

  /** Closes an upload after waiting for its running work; harmless when it is not open. */
  async close(id: string): Promise<void> {
    this.#timers.get(id)?.cancel();
    this.#timers.delete(id);
    const opening = this.#open.get(id);
    if (!opening) return;
    const open = await opening;
    try {
      await open.upload.close();
    } finally {
      // Only now, so that a caller who opens it again finds files that nobody writes to.
      if (this.#open.get(id) === opening) this.#open.delete(id);
    }
  }

  /** Waits for all, then rejects with the first error. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    const ends = await Promise.allSettled([...this.#open.keys()].map((id) => this.close(id)));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** Starts the timer that closes an unused upload. */
  #rest(id: string): void {
    this.#timers.get(id)?.cancel();
    this.#timers.set(
      id,
      this.#options.clock.startTimer(IDLE_MS, () => {
        this.#putAway(id).catch((error: unknown) => {
          this.#options.log.warn("an upload did not close cleanly", { id, why: String(error) });
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
      // No hashes are expected: the upload computes them.
      hashes: {},
      partFile: `${this.#options.folder.draft(id)}/parts`,
      readOnly: false,
      existing: "own",
    };
    return turns.run(openInSteps(content, layout));
  }
}

/** @param text - Written by this program, after it was checked. */
function* readDraft(text: string): Work<DraftContent> {
  const declaration = (yield* parseJsonInSteps(text)) as Declaration;
  yield;
  return { declaration, plan: yield* planDraft(declaration) };
}
