/** Where `pick` writes; each array holds at least `blocksMax` numbers. */
export interface PickedBlocks {
  readonly pieces: Int32Array;
  readonly blocks: Int32Array;
}

/** Numbers that still fit. */
export interface PickRoom {
  readonly out: PickedBlocks;
  /** Blocks already written. */
  readonly count: number;
  readonly blocksMax: number;
}
