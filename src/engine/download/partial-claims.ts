import { Bitfield } from "../../base/bitfield.ts";
import type { PiecePicker } from "../picker/piece-picker.ts";
import type { ResumeState } from "../session-contract.ts";
import type { PieceStore } from "../storage/piece-store.ts";

/** @returns What a resume may claim of unfinished pieces: blocks that arrived and are on disk. */
export function partialClaims(picker: PiecePicker, store: PieceStore): ResumeState["partial"] {
  const partial: { piece: number; blocks: Bitfield }[] = [];
  for (const piece of picker.startedPieces()) {
    const written = store.written(piece);
    const received = picker.receivedBlocks(piece);
    if (!written || !received) continue;
    const blocks = new Bitfield(received.length);
    for (const block of received.indexes()) if (written.has(block)) blocks.add(block);
    if (blocks.count > 0) partial.push({ piece, blocks });
  }
  return partial;
}
