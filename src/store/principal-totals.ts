/** A member, by the id of the account, or a device, by its name here. */
export interface StoredPrincipal {
  readonly kind: "member" | "device";
  readonly id: string;
}

/** What the tracker has heard of somebody. */
export interface PrincipalFigures {
  /** Downloads finished. */
  readonly completed: number;
  /** Bytes, as their programs reported them. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Seconds as a seed. */
  readonly seededS: number;
}

/** What members and devices have done, by torrent. */
export interface PrincipalTotalTable {
  /** Of each of them over all torrents. It is read while it is gone through. */
  sums(): Iterable<PrincipalFigures & { readonly principal: StoredPrincipal }>;
  /** Adds to what is there, in one transaction. Infohashes have 20 bytes. */
  add(
    changes: readonly (PrincipalFigures & {
      readonly principal: StoredPrincipal;
      readonly infohash: Uint8Array;
    })[],
  ): Promise<void>;
}
