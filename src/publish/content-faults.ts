import type { TorrentEvent } from "../engine/session-contract.ts";
import type { Log } from "../ports/log.ts";

interface Fault {
  /** From the rounds. */
  files: string | undefined;
  /** From the engine: why it cannot serve. */
  state: string | undefined;
  /** Pieces that were read and were not what was published; repaired ones are taken out. */
  readonly lostPieces: Set<number>;
  pieceCount: number;
}

/** What is known to be wrong with the everseed's copies, and who said so (HUB-19). */
export class ContentFaults {
  readonly #log: Log;
  readonly #faults = new Map<string, Fault>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** In words for everybody, without paths; null when nothing is known. */
  of(torrentId: string): string | null {
    const fault = this.#faults.get(torrentId);
    if (!fault) return null;
    const { lostPieces, pieceCount } = fault;
    const pieces =
      lostPieces.size > 0
        ? `${lostPieces.size} of ${pieceCount} pieces are damaged on the disk of this hub.`
        : undefined;
    return fault.files ?? fault.state ?? pieces ?? null;
  }

  /** All of it is new. */
  handleReplaced(torrentId: string): void {
    if (!this.#faults.delete(torrentId)) return;
    this.#log.info("what the everseed keeps is whole again", { id: torrentId });
  }

  handleRound(torrentId: string, files: string | undefined): void {
    if (files === undefined && !this.#faults.has(torrentId)) return;
    this.#change(torrentId, (fault) => (fault.files = files));
  }

  handleEvent(torrent: { readonly id: string; readonly piece_count: number }, event: TorrentEvent) {
    const { id } = torrent;
    switch (event.kind) {
      case "state":
        if (event.state.kind === "waiting") {
          this.#change(id, (fault) => (fault.state = "Its files cannot be read at the moment."));
        } else if (event.state.kind === "broken") {
          this.#change(
            id,
            (fault) => (fault.state = "What it says about itself is contradictory."),
          );
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
      // What the torrent knows and whom it met say nothing about the disk.
    }
  }

  #change(id: string, change: (fault: Fault) => void): void {
    const before = this.of(id);
    const fault = this.#faults.get(id) ?? {
      files: undefined,
      state: undefined,
      lostPieces: new Set(),
      pieceCount: 0,
    };
    change(fault);
    this.#faults.set(id, fault);
    const after = this.of(id);
    if (after === null) this.#faults.delete(id);
    if (after === before) return;
    if (after === null) this.#log.info("what the everseed keeps is whole again", { id });
    else this.#log.error("what the everseed keeps is damaged", { id, fault: after });
  }
}
