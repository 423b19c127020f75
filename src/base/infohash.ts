import { toHex } from "./bytes.ts";

/** SHA-1 of the `info` value, 20 bytes (BEP 3), or SHA-256 of it, 32 bytes (BEP 52). */
export type Infohash = Uint8Array;

export const INFOHASH_V1_BYTES = 20;
export const INFOHASH_V2_BYTES = 32;

/** A torrent has a v1 infohash, a v2 infohash, or both (hybrid). */
export interface Infohashes {
  readonly v1?: Infohash | undefined;
  readonly v2?: Infohash | undefined;
}

/** The 20 bytes used in handshakes and announces: a v2 infohash is cut to 20 bytes (BEP 52). */
export function wireInfohash(infohash: Infohash): Uint8Array {
  return infohash.subarray(0, INFOHASH_V1_BYTES);
}

/** Every 20-byte form under which peers may ask for this torrent, v1 first. */
export function wireInfohashes(infohashes: Infohashes): Uint8Array[] {
  const forms: Uint8Array[] = [];
  if (infohashes.v1) forms.push(wireInfohash(infohashes.v1));
  if (infohashes.v2) forms.push(wireInfohash(infohashes.v2));
  return forms;
}

/** A key for maps: the wire form as 40 lower-case hexadecimal digits. */
export function infohashKey(infohash: Infohash): string {
  return toHex(wireInfohash(infohash));
}
