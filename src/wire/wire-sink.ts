/** A range of hashes of one file's merkle tree, as in the three messages of BEP 52. */
export interface HashRange {
  /** 32 bytes; the root identifies the file. */
  readonly piecesRoot: Uint8Array;
  /** 0 = leaves of 16 KiB blocks. */
  readonly baseLayer: number;
  /** First hash, a multiple of `length`. */
  readonly index: number;
  /** Hashes of the base layer, a power of two, 2 to 512. */
  readonly length: number;
  /** Layers above the base layer to prove. */
  readonly proofLayers: number;
}

/**
 * Receives the messages of the decoder. Numbers are as the peer sent them: the decoder checks indexes against the
 * `PieceBounds`, and the sink checks everything else. Views are borrowed for the duration of the call.
 */
export interface WireSink {
  handleKeepAlive(): void;
  handleChoke(): void;
  handleUnchoke(): void;
  handleInterested(): void;
  handleNotInterested(): void;
  handleHave(piece: number): void;
  /**
   * Raw bytes; checked for size and spare bits once the piece count is known. The message may come again and late,
   * but must not take back an earlier statement.
   */
  handleBitfield(bits: Uint8Array): void;
  handleRequest(piece: number, begin: number, length: number): void;
  handleCancel(piece: number, begin: number, length: number): void;
  /**
   * The head of a block has arrived. The decoder copies its payload into the returned array as it comes.
   *
   * @returns Exactly `length` bytes to fill, or `undefined` to drop the payload.
   */
  beginBlock(piece: number, begin: number, length: number): Uint8Array | undefined;
  /** The payload is complete. `kept` is false when `beginBlock` returned `undefined`. */
  endBlock(piece: number, begin: number, length: number, kept: boolean): void;
  handlePort(port: number): void;
  handleSuggest(piece: number): void;
  handleHaveAll(): void;
  handleHaveNone(): void;
  handleReject(piece: number, begin: number, length: number): void;
  handleAllowedFast(piece: number): void;
  handleExtended(extensionId: number, payload: Uint8Array): void;
  handleHashRequest(range: HashRange): void;
  /** @param hashes - Base hashes, then uncles from low to high, 32 bytes each. */
  handleHashes(range: HashRange, hashes: Uint8Array): void;
  handleHashReject(range: HashRange): void;
}
