import type { Log } from "../ports/log.ts";
import type { FolderFiles } from "../ports/user-files.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import { hadByResume, isAnyThere } from "./content-presence.ts";
import { placedInfo } from "./placed-info.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import { parseChoices, wantedFiles } from "./transfer-choices.ts";
import type { TransferLines } from "./transfer-lines.ts";
import { rowState } from "./transfer-row.ts";
import type { TransferShelf } from "./transfer-shelf.ts";

/** Failed transfers that are looked at in one round. */
const ROUND_MAX = 100;

export interface AbsentContentsParts {
  readonly transfers: Pick<TransferTable, "after" | "find">;
  readonly content: Pick<FolderFiles, "stat">;
  readonly running: RunningTransfers;
  readonly lines: TransferLines;
  readonly shelf: TransferShelf;
  readonly log: Log;
  /** One may run again. */
  readonly onBack: () => void;
}

/** Goes on with transfers whose content was missing, when it is there again: their disk is mounted (STO-5). */
export class AbsentContents {
  readonly #parts: AbsentContentsParts;
  /** The row that the last round ended with. */
  #seq = 0;
  #isLooking = false;

  constructor(parts: AbsentContentsParts) {
    this.#parts = parts;
  }

  /** Looks at the next of them. Call it once a minute. */
  look(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#round()
      .catch((error: unknown) => {
        this.#parts.log.warn("missing content was not looked for", { error: String(error) });
      })
      .finally(() => (this.#isLooking = false));
  }

  async #round(): Promise<void> {
    const { transfers, lines, onBack } = this.#parts;
    const rows = await transfers.after(this.#seq, ROUND_MAX, { shown: "failed" });
    this.#seq = rows.length === ROUND_MAX ? rows.at(-1)!.seq : 0;
    for (const { id } of rows) await lines.run(id, () => this.#lookAt(id));
    if (rows.length > 0) onBack();
  }

  async #lookAt(id: string): Promise<void> {
    const { transfers, running, log } = this.#parts;
    const row = await transfers.find(id);
    if (!row || rowState(row).failure?.cause !== "no-content") return;
    if (!(await this.#isBack(row))) return;
    log.info("the content of a transfer is there again", { id });
    await running.update(id, { failure: null });
    if (row.finished_at !== null) await running.open(id);
  }

  async #isBack(row: TransferRow): Promise<boolean> {
    const { content, shelf } = this.#parts;
    const stored = await shelf.loadTorrent(row.id);
    if (!stored) return false;
    const resume = await shelf.loadResume(row.id);
    const choices = parseChoices(row.choices);
    const wanted = wantedFiles(choices, stored.info.files.length);
    const hadFile =
      resume && row.whole === 0 ? hadByResume(resume) : (file: number) => wanted[file]!;
    try {
      return await isAnyThere(content, placedInfo(stored.info, choices.names), {
        root: row.root,
        hadFile,
      });
    } catch {
      // The disk refuses even to look: it is not back.
      return false;
    }
  }
}
