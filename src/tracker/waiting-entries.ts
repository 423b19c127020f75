import { ANSWER_PEERS_MAX } from "../announce/announce-answer.ts";

/**
 * More than an answer can hold, so that one address with very many ports does not hide the peers
 * found after it.
 */
const ENTRIES_MAX = ANSWER_PEERS_MAX * 4;

/**
 * Peers that an answer names when it has room left, in the order they were found. Peers beyond the
 * bound are dropped.
 */
export class WaitingEntries {
  readonly entries: Int32Array = new Int32Array(ENTRIES_MAX);
  count = 0;

  clear(): void {
    this.count = 0;
  }

  push(entry: number): void {
    if (this.count === ENTRIES_MAX) return;
    this.entries[this.count] = entry;
    this.count += 1;
  }
}
