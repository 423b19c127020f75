import type { TorrentEvent } from "../engine/session-contract.ts";
import type { Log } from "../ports/log.ts";

/** What is wrong with the everseed's copy of one torrent. */
export interface Damage {
  /** In words for everybody, without paths. */
  readonly words: string;
  /** As far as is known, nothing of it can be served now. */
  readonly all: boolean;
  /** Indexes of real files that are missing or have the wrong length. */
  readonly lostFiles: ReadonlySet<number>;
  /** Pieces that differ from the published ones. */
  readonly lostPieces: ReadonlySet<number>;
}

/** The result of a look at the files of one torrent. */
export type FilesFound =
  | { readonly kind: "no-metainfo" }
  /** @property lost - Indexes of real files; empty when all are there in their full length. */
  | { readonly kind: "files"; readonly lost: ReadonlySet<number>; readonly fileCount: number };

interface Fault {
  /** Found by the rounds. */
  found: FilesFound | undefined;
  /** From the engine: why it cannot serve. */
  state: string | undefined;
  /** Pieces that were read and differ from the published ones; repaired pieces are removed. */
  readonly lostPieces: Set<number>;
  pieceCount: number;
  /** Of `lostPieces`, how many the log was told of. */
  toldPieces: number;
}

const NONE: ReadonlySet<number> = new Set();

/** Everything known to be wrong with the everseed's copies, by source (HUB-19). */
export class ContentFaults {
  readonly #log: Log;
  readonly #onChange: (torrentId: string, isWhole: boolean) => void;
  readonly #faults = new Map<string, Fault>();

  /** @param onChange - Called when a copy becomes damaged, and when it is whole again. */
  constructor(log: Log, onChange: (torrentId: string, isWhole: boolean) => void) {
    this.#log = log;
    this.#onChange = onChange;
  }

  /** @returns Null when no damage is known. */
  of(torrentId: string): Damage | null {
    const fault = this.#faults.get(torrentId);
    const words = fault && wordsOf(fault);
    if (!fault || words === undefined) return null;
    const lostFiles = fault.found?.kind === "files" ? fault.found.lost : NONE;
    const { lostPieces } = fault;
    // An engine that cannot read its files does not say which ones; the rounds do, once they have looked.
    const all =
      fault.found?.kind === "no-metainfo" || (fault.state !== undefined && lostFiles.size === 0);
    return { words, all, lostFiles, lostPieces };
  }

  /** Its content was replaced as a whole. */
  handleReplaced(torrentId: string): void {
    if (!this.#faults.delete(torrentId)) return;
    this.#log.info("what the everseed keeps is whole again", { id: torrentId });
    this.#onChange(torrentId, true);
  }

  /** It is not published any more. */
  forget(torrentId: string): void {
    this.#faults.delete(torrentId);
  }

  handleRound(torrentId: string, found: FilesFound): void {
    const isWhole = found.kind === "files" && found.lost.size === 0;
    if (isWhole && !this.#faults.has(torrentId)) return;
    this.#change(torrentId, (fault) => (fault.found = isWhole ? undefined : found));
  }

  handleEvent(torrent: { readonly id: string; readonly piece_count: number }, event: TorrentEvent) {
    const { id } = torrent;
    switch (event.kind) {
      case "state":
        if (event.state.kind === "waiting") {
          this.#change(id, (fault) => (fault.state = "Its files cannot be read at the moment."));
        } else if (event.state.kind === "broken") {
          this.#change(id, (fault) => (fault.state = "Its description contradicts itself."));
        } else if (event.state.kind !== "stopped" && this.#faults.has(id)) {
          this.#change(id, (fault) => (fault.state = undefined));
        }
        break;
      case "piece-lost":
        this.#change(id, (fault) => {
          fault.lostPieces.add(event.piece);
          fault.pieceCount = torrent.piece_count;
        });
        break;
      case "piece":
        if (this.#faults.has(id))
          this.#change(id, ({ lostPieces }) => lostPieces.delete(event.piece));
        break;
      default:
      // Events about the torrent itself and its peers say nothing about the disk.
    }
  }

  #change(id: string, change: (fault: Fault) => void): void {
    const before = this.of(id)?.words;
    const fault = this.#faults.get(id) ?? {
      found: undefined,
      state: undefined,
      lostPieces: new Set(),
      pieceCount: 0,
      toldPieces: 0,
    };
    change(fault);
    this.#faults.set(id, fault);
    const after = this.of(id)?.words;
    if (after === undefined) this.#faults.delete(id);
    if (after === before) return;
    if (before === undefined || after === undefined) this.#onChange(id, after === undefined);
    if (after === undefined) this.#log.info("what the everseed keeps is whole again", { id });
    else if (isNews(fault))
      this.#log.error("what the everseed keeps is damaged", { id, fault: after });
  }
}

/**
 * Whether the log is told. Pieces are found one by one, hundreds of thousands of one torrent: a line is written when twice
 * as many are damaged as in the last one, so that other torrents have theirs, too (HUB-48).
 */
function isNews(fault: Fault): boolean {
  if (fault.found || fault.state !== undefined) return true;
  if (fault.lostPieces.size < fault.toldPieces * 2) return false;
  fault.toldPieces = fault.lostPieces.size;
  return true;
}

function wordsOf({ found, state, lostPieces, pieceCount }: Fault): string | undefined {
  if (found?.kind === "no-metainfo") return "Its .torrent file is lost.";
  if (found) {
    const { size } = found.lost;
    return `${size} of ${found.fileCount} files ${size === 1 ? "is" : "are"} lost or ${size === 1 ? "has" : "have"} another length on the disk of this hub.`;
  }
  if (state !== undefined) return state;
  const { size } = lostPieces;
  if (size === 0) return undefined;
  return `${size} of ${pieceCount} pieces ${size === 1 ? "is" : "are"} damaged on the disk of this hub.`;
}
