import { EngineError } from "../engine/engine-error.ts";
import type { TorrentInfo } from "../metainfo/metainfo.ts";
import type { Clock } from "../ports/clock.ts";
import type { TransferRow, TransferTable } from "../store/transfers.ts";
import type { AwakeTransfer } from "./awake-transfer.ts";
import type { RunningTransfers } from "./running-transfers.ts";
import type { TransferLines } from "./transfer-lines.ts";
import { rowState } from "./transfer-row.ts";
import { causeInWords, stateAsleep } from "./transfer-state.ts";
import { TransfersError } from "./transfers-error.ts";

/** A transfer that its owner changes leaves the engine for a moment: readers wait for it this often and this long. */
const TRIES_MAX = 40;
const TRY_MS = 250;

/** One file of a transfer, to be read while it is fetched. */
export interface FileContent {
  readonly transfer: string;
  readonly index: number;
  /** On disk, without folders. */
  readonly name: string;
  /** Bytes. */
  readonly length: number;
  /**
   * Reads bytes in order as they become available; what is missing is fetched before everything else. A change of the
   * transfer for which it leaves the engine ends no reader. Each `next()` may reject with a `TransfersError` or an
   * `EngineError`, or the signal's reason.
   */
  read(
    range: { readonly begin: number; readonly end: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array>;
}

export interface TransferContentsParts {
  readonly transfers: Pick<TransferTable, "find">;
  readonly running: RunningTransfers;
  readonly lines: TransferLines;
  readonly clock: Clock;
  /** The node is not stopping. */
  readonly isOpen: () => boolean;
}

/** The files of transfers as streams. A sleeping seed is woken, and stays awake while somebody reads. */
export class TransferContents {
  readonly #parts: TransferContentsParts;

  constructor(parts: TransferContentsParts) {
    this.#parts = parts;
  }

  /**
   * @param index - Of the file in the torrent.
   * @throws {TransfersError} (rejects) `not-found`; `not-running` when it is stopped, has failed, waits in the queue or
   *   moves; `disk-error` while its disk refuses.
   */
  async open(id: string, index: number): Promise<FileContent> {
    const awake = await this.#awake(id);
    const { info, state } = awake.torrent;
    if (state.kind === "waiting") throw new TransfersError("disk-error", `${state.message}.`);
    const file = fileIn(info, index);
    return {
      transfer: id,
      index,
      name: file.path.at(-1)!,
      length: file.length,
      read: (range, signal) => this.#read(id, index, range, signal),
    };
  }

  async *#read(
    id: string,
    index: number,
    { begin, end }: { readonly begin: number; readonly end: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    let at = begin;
    let tries = 0;
    while (at < end) {
      const awake = await this.#returned(id, signal);
      awake.readers += 1;
      try {
        for await (const part of awake.torrent.read(index, { begin: at, end }, { signal })) {
          at += part.length;
          tries = 0;
          yield part;
        }
      } catch (error) {
        tries += 1;
        if (signal.aborted || tries > TRIES_MAX || !isPassing(error)) throw error;
        await this.#pause(signal);
      } finally {
        awake.readers -= 1;
      }
    }
  }

  /** The transfer when it is in the engine, or back there after a change of its owner. */
  async #returned(id: string, signal: AbortSignal): Promise<AwakeTransfer> {
    for (let tries = 0; ; tries += 1) {
      try {
        return await this.#awake(id);
      } catch (error) {
        const isQueued = error instanceof QueuedError;
        if (!isQueued || tries === TRIES_MAX) throw error;
      }
      await this.#pause(signal);
    }
  }

  async #awake(id: string): Promise<AwakeTransfer> {
    const { transfers, running, lines, isOpen } = this.#parts;
    const demandRunnable = (row: TransferRow | undefined): void => {
      if (!row) throw new TransfersError("not-found", `There is no transfer ${id}.`);
      if (!isOpen()) throw new TransfersError("closed", "The node is stopping.");
      refuseIfAway(row);
    };
    const awake = running.get(id);
    demandRunnable(awake?.row ?? (await transfers.find(id)));
    if (awake) return awake;
    // Behind what its owner is changing just now.
    const opened = await lines.run(id, async () => {
      const row = await transfers.find(id);
      demandRunnable(row);
      const isQueued = row!.finished_at === null && running.get(id) === undefined;
      if (isQueued) throw new QueuedError();
      return running.open(id, true);
    });
    if (opened) return opened;
    throw new TransfersError("not-running", "It could not be opened: everseed ls says why.");
  }

  #pause(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#parts.clock.startTimer(TRY_MS, () => {
        signal.removeEventListener("abort", stop);
        resolve();
      });
      function stop(): void {
        timer.cancel();
        reject(signal.reason as Error);
      }
      if (signal.aborted) stop();
      else signal.addEventListener("abort", stop, { once: true });
    });
  }
}

/** It is a download that the queue has not started. */
class QueuedError extends TransfersError {
  constructor() {
    super("not-running", "It waits until other downloads end.");
  }
}

/** The torrent left the engine, or a piece turned out to be damaged and is fetched again. */
function isPassing(error: unknown): boolean {
  return error instanceof EngineError && (error.code === "stopped" || error.code === "not-fetched");
}

/** A renaming takes a moment, and is waited for. */
function refuseIfAway(row: TransferRow): void {
  const { chore, failure, pause, isFinished } = rowState(row);
  if (!failure && !pause && (!chore || chore.kind === "rename")) return;
  const state = stateAsleep({ chore, failure, pause, isFinished }, 0);
  const why = causeInWords(state);
  const words = why === undefined ? `It is ${state.kind}.` : `It is ${state.kind}: ${why}.`;
  throw new TransfersError("not-running", words);
}

function fileIn(info: TorrentInfo | undefined, index: number): TorrentInfo["files"][number] {
  if (!info) {
    throw new TransfersError("not-running", "Its files are not known yet: wait for its details.");
  }
  const file = info.files[index];
  if (file && !file.pad && !file.linkTarget) return file;
  throw new TransfersError("not-found", `It has no file ${index} that could be read.`);
}
