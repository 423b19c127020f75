import type { RequestWindow } from "./request-window.ts";

/** Something that blocks can be asked of: a peer is one kind. Only the downloader calls it. */
export interface BlockSource {
  /** Whom the smart ban blames for a false block; outlives the connection. */
  readonly address: string;
  /** The blocks that were asked for and have not come. */
  readonly window: RequestWindow;
  /** When bytes of any kind came last; clock milliseconds. */
  readonly lastReceivedAtMs: number;
  /** Asks for one block, of so many bytes. */
  request(piece: number, block: number, length: number): void;
  /**
   * Takes a request back.
   *
   * @returns "answered": a block or a reject still comes (BEP 6). "forgotten": nothing is counted on, the slot in the
   *   window is free.
   */
  cancel(piece: number, block: number, length: number): "answered" | "forgotten";
  /** Whether it has anything we want. */
  setInterested(interested: boolean): void;
  close(reason: string): void;
}
