import type { RequestWindow } from "./request-window.ts";

/**
 * A source of blocks. A peer is one kind; a server that gives ranges of files is another. Only a downloader calls it;
 * the source answers through `beginBlock` and `endBlock` of the downloader, never inside a call.
 */
export interface BlockSource {
  /** Identifies whom the smart ban blames for a false block; it outlives the connection: a peer's address. */
  readonly sender: string;
  /** The blocks that we requested and have not received. Several downloaders may share it. */
  readonly window: RequestWindow;
  /**
   * Consecutive blocks of one piece that it accepts as one request: 1 for a peer. More is one of perhaps several
   * connections to a server, of which pieces in a row are requested.
   */
  readonly runBlocksMax: number;
  /** False once it has ended: nothing is requested from it any more, and `leave` follows. */
  readonly isOpen: boolean;
  /** When the last bytes of any kind arrived; clock milliseconds. */
  readonly lastReceivedAtMs: number;
  /** Requests `count` blocks of a piece, starting at `block`; `length` bytes in total. */
  request(piece: number, block: number, count: number, length: number): void;
  /**
   * Cancels the request of one block.
   *
   * @returns "answered": the block or a reject still comes (BEP 6). "forgotten": no answer is expected, and its slot
   *   in the window is free.
   */
  cancel(piece: number, block: number, length: number): "answered" | "forgotten";
  /** Tells it whether it has anything we want. */
  setInterested(interested: boolean): void;
  close(reason: string): void;
}
