/** A member, by the account's id, or a device, by its name on this hub. */
export interface StoredPrincipal {
  readonly kind: "member" | "device";
  readonly id: string;
}

/** The figures that the tracker has of one principal. */
export interface PrincipalFigures {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes, as reported by its clients. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds as a seed. */
  readonly seededS: number;
}

/** The figures of members and devices, by torrent. */
export interface PrincipalTotalTable {
  /** The sums of each principal over all torrents. The rows are read during the iteration. */
  sums(): Iterable<PrincipalFigures & { readonly principal: StoredPrincipal }>;
  /** Adds to the stored figures, in one transaction. Infohashes have 20 bytes. */
  add(
    changes: readonly (PrincipalFigures & {
      readonly principal: StoredPrincipal;
      readonly infohash: Uint8Array;
    })[],
  ): Promise<void>;
}
