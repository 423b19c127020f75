/** A peer of one torrent: a small number that the picker assigns, and reuses when the peer is gone. */
export type PeerKey = number & { readonly brand: "PeerKey" };
