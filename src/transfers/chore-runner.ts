import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Log } from "../ports/log.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import { placedInfo } from "./placed-info.ts";
import {
  type ContentFiles,
  findInTheWay,
  findInTheWayOfNames,
  moveBack,
  moveContent,
  removeContent,
  renameBack,
  renameContent,
  type Renaming,
} from "./transfer-chores.ts";
import { parseChoices } from "./transfer-choices.ts";
import type { TransferLines } from "./transfer-lines.ts";
import { rowState } from "./transfer-row.ts";
import type { TransferShelf } from "./transfer-shelf.ts";
import type { Chore } from "./transfer-state.ts";
import { withRenamed } from "./transfer-names.ts";
import { asDiskError, TransfersError } from "./transfers-error.ts";

export interface ChoreRunnerParts {
  readonly transfers: Pick<TransferTable, "find" | "delete">;
  readonly content: ContentFiles;
  readonly shelf: TransferShelf;
  readonly running: RunningTransfers;
  readonly lines: TransferLines;
  readonly log: Log;
  /** A transfer has moved, or stays where it was. */
  readonly onMoved: () => void;
  readonly onRemoved: (row: TransferRow) => void;
}

/**
 * Moves and removes transfers. The chore is in the row before it begins, so that the next start carries on what a kill
 * interrupts. Every method but `carryOn` is called in the transfer's line.
 */
export class ChoreRunner {
  readonly #parts: ChoreRunnerParts;

  constructor(parts: ChoreRunnerParts) {
    this.#parts = parts;
  }

  async remove(id: string, withContent: boolean): Promise<void> {
    await this.#begin(id, { kind: "remove", withContent });
    await this.#carryOut(id);
  }

  /**
   * Resolves when the move has begun.
   *
   * @param to - Absolute, and another folder than the present one.
   * @throws {TransfersError} (rejects) `exists` when a file is in the way; then nothing has changed.
   */
  async move(row: TransferRow, to: string): Promise<void> {
    const { content } = this.#parts;
    const info = await this.#infoOf(row);
    const there = info && (await findInTheWay(content, info, to));
    if (there !== undefined) {
      throw new TransfersError("exists", `There is already a file ${there}.`);
    }
    await this.#begin(row.id, { kind: "move", to });
    this.carryOn(row.id);
  }

  /**
   * Renames a file or folder; it resolves when that is done, and the transfer goes on.
   *
   * @throws {TransfersError} (rejects) `not-found`, `exists`, `bad-choice`, or the disk's refusal; then all files have
   *   the names that they had.
   */
  async rename(row: TransferRow, path: string, name: string): Promise<void> {
    const { content, running, onMoved } = this.#parts;
    if (rowState(row).chore) throw new TransfersError("bad-choice", "It is being moved.");
    const info = await this.#torrentOf(row);
    if (!info) {
      throw new TransfersError("bad-choice", "Its files are not known yet: wait for its details.");
    }
    const { names: before } = parseChoices(row.choices);
    const names = withRenamed(info, before, { path, name });
    const after = placedInfo(info, names);
    const renaming = { before: placedInfo(info, before), after, root: row.root };
    const inTheWay = await findInTheWayOfNames(content, renaming);
    if (inTheWay !== undefined) {
      throw new TransfersError("exists", `There is already a file ${inTheWay}.`);
    }
    const wasAwake = running.get(row.id) !== undefined;
    const isTop = !path.includes("/");
    await this.#begin(row.id, { kind: "rename", names, name: isTop ? name : row.name });
    try {
      await this.#carryOut(row.id);
    } finally {
      if (wasAwake) await running.open(row.id);
      onMoved();
    }
  }

  /** Works on a chore that has begun. */
  carryOn(id: string): void {
    const { lines, log } = this.#parts;
    lines
      .run(id, () => this.#carryOut(id))
      .catch((error: unknown) => {
        log.error("work on a transfer was not finished; the next start carries it on", {
          id,
          error: String(error),
        });
      });
  }

  /** From here on a kill does not lose the chore. */
  async #begin(id: string, chore: Chore): Promise<void> {
    await this.#parts.running.update(id, { chore: JSON.stringify(chore) });
    await this.#parts.running.close(id);
  }

  async #carryOut(id: string): Promise<void> {
    const row = await this.#parts.transfers.find(id);
    const chore = row && rowState(row).chore;
    if (!chore) return;
    switch (chore.kind) {
      case "move":
        return this.#moveNow(row, chore.to);
      case "rename":
        return this.#renameNow(row, chore);
      case "remove":
        return this.#removeNow(row, chore.withContent);
    }
  }

  async #removeNow(row: TransferRow, withContent: boolean): Promise<void> {
    const { transfers, content, shelf, onRemoved } = this.#parts;
    const { id } = row;
    const info = withContent ? await this.#infoOf(row) : undefined;
    if (info) await removeContent(content, info, row.root);
    await shelf.remove(id);
    await transfers.delete(id);
    onRemoved(row);
  }

  async #moveNow(row: TransferRow, to: string): Promise<void> {
    const { content, running, log, onMoved } = this.#parts;
    const { id, root } = row;
    const info = await this.#infoOf(row);
    let failure: string | null = null;
    try {
      if (info) await moveContent(content, info, { from: root, to });
      await running.update(id, { root: to });
    } catch (error) {
      const why = error instanceof TransfersError ? error.detail : String(error);
      log.error("a transfer could not be moved", { id, to, why });
      // All of it is in one place again.
      if (info) await moveBack(content, info, { from: root, to });
      const message = `it could not be moved to ${to} and is where it was: ${why}`;
      failure = JSON.stringify({ cause: "not-moved", message });
    }
    await running.update(id, { chore: null, failure });
    if (row.finished_at !== null) await running.open(id);
    onMoved();
  }

  async #renameNow(row: TransferRow, { names, name }: Chore & { kind: "rename" }): Promise<void> {
    const { content, running, log } = this.#parts;
    const { id, root } = row;
    const choices = parseChoices(row.choices);
    const info = await this.#torrentOf(row);
    if (!info) return running.update(id, { chore: null });
    const before = placedInfo(info, choices.names);
    const renaming: Renaming = { before, after: placedInfo(info, names), root };
    try {
      await renameContent(content, renaming);
    } catch (error) {
      log.error("the files of a transfer could not be renamed", { id, why: String(error) });
      // All of them have their old names again.
      await renameBack(content, renaming);
      await running.update(id, { chore: null });
      throw asDiskError(error, "the files have the names that they had");
    }
    const after = JSON.stringify({ ...choices, names });
    await running.update(id, { chore: null, choices: after, name });
  }

  /** The same with the paths that its files have on disk. */
  async #infoOf(row: TransferRow): Promise<TorrentInfo | undefined> {
    const info = await this.#torrentOf(row);
    return info && placedInfo(info, parseChoices(row.choices).names);
  }

  /** @returns `undefined` while a link's details are unknown, or when the .torrent file is damaged. */
  async #torrentOf(row: TransferRow): Promise<TorrentInfo | undefined> {
    if (row.magnet !== null) return undefined;
    return (await this.#parts.shelf.loadTorrent(row.id))?.info;
  }
}
