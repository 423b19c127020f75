/** A peer of one torrent: a small number, made by the picker, used again when the peer is gone. */
export type PeerKey = number & { readonly brand: "PeerKey" };
