import type { RequestWindow } from "./request-window.ts";

/**
 * Something that blocks can be asked of. A peer is one kind; a server that gives ranges of files is another. Only a
 * downloader calls it; the source answers by `beginBlock` and `endBlock` of the downloader, never inside a call.
 */
export interface BlockSource {
  /** Whom the smart ban blames for a false block, in words that outlive the connection: a peer's address. */
  readonly sender: string;
  /** The blocks that were asked for and have not come. Several downloaders may share it. */
  readonly window: RequestWindow;
  /** Blocks of one piece, one behind the other, that it takes as one request; 1 for a peer. */
  readonly runBlocksMax: number;
  /** False once it has ended: nothing is asked of it any more, and `leave` follows. */
  readonly isOpen: boolean;
  /** When bytes of any kind came last; clock milliseconds. */
  readonly lastReceivedAtMs: number;
  /** Asks for `count` blocks of a piece from `block` on, `length` bytes in all. */
  request(piece: number, block: number, count: number, length: number): void;
  /**
   * Takes the request of one block back.
   *
   * @returns "answered": the block or a reject still comes (BEP 6). "forgotten": nothing is counted on, the slot in the
   *   window is free.
   */
  cancel(piece: number, block: number, length: number): "answered" | "forgotten";
  /** Whether it has anything we want. */
  setInterested(interested: boolean): void;
  close(reason: string): void;
}
