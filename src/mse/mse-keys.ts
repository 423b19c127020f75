import { compareBytes, concatBytes, fromHex, fromLatin1 } from "../base/bytes.ts";
import { sha1 } from "../base/hash.ts";
import { Rc4 } from "./rc4.ts";

/** The prime less 2: no larger public key is sound, nor one below 2 (WIR-19). */
const KEY_MAX = fromHex(
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090561",
)!;
const KEY_MIN = new Uint8Array(KEY_MAX.length).fill(2, -1);

/** The first bytes of each key stream are biased, and dropped. */
const DROPPED_BYTES = 1024;

const REQ1 = fromLatin1("req1");
const REQ2 = fromLatin1("req2");
const REQ3 = fromLatin1("req3");

/** A public key with which the secret is not known to everybody. */
export function isSoundKey(publicKey: Uint8Array): boolean {
  return compareBytes(publicKey, KEY_MIN) >= 0 && compareBytes(publicKey, KEY_MAX) <= 0;
}

/** @returns 20 bytes that mark the dialler's third message. */
export function syncMark(secret: Uint8Array): Uint8Array {
  return sha1(concatBytes([REQ1, secret]));
}

/** @returns 20 bytes under which a torrent is found. */
export function torrentMark(infohash: Uint8Array): Uint8Array {
  return sha1(concatBytes([REQ2, infohash]));
}

/** Hides a torrent's mark with the secret, or reveals it. */
export function maskTorrentMark(mark: Uint8Array, secret: Uint8Array): Uint8Array {
  const mask = sha1(concatBytes([REQ3, secret]));
  return mask.map((byte, at) => byte ^ mark[at]!);
}

/** The key streams of the side that dialled, and of the other; what is biased is dropped. */
export function streamsOf(
  secret: Uint8Array,
  infohash: Uint8Array,
): { readonly dialler: Rc4; readonly listener: Rc4 } {
  const stream = (name: string): Rc4 => {
    const rc4 = new Rc4(sha1(concatBytes([fromLatin1(name), secret, infohash])));
    rc4.keystream(DROPPED_BYTES);
    return rc4;
  };
  return { dialler: stream("keyA"), listener: stream("keyB") };
}
