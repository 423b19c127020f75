import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { concatBytes, fromHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";
import type { Signatures, SigningKey } from "../ports/signatures.ts";

const SEED_BYTES = 32;
const PUBLIC_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** What stands before the raw bytes of a key in DER: the algorithm (RFC 8410). */
const PRIVATE_HEAD = fromHex("302e020100300506032b657004220420")!;
const PUBLIC_HEAD = fromHex("302a300506032b6570032100")!;

/** Ed25519 of Node's OpenSSL. */
export class NodeSignatures implements Signatures {
  keyFromSeed(seed: Uint8Array): SigningKey {
    invariant(seed.length === SEED_BYTES, "a seed of Ed25519 has 32 bytes");
    const der = Buffer.from(concatBytes([PRIVATE_HEAD, seed]));
    const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const spki = createPublicKey(key).export({ format: "der", type: "spki" });
    return {
      publicKey: Uint8Array.from(spki.subarray(-PUBLIC_KEY_BYTES)),
      sign: (message) => Uint8Array.from(sign(null, message, key)),
    };
  }

  verify(
    message: Uint8Array,
    proof: { readonly publicKey: Uint8Array; readonly signature: Uint8Array },
  ): boolean {
    const { publicKey, signature } = proof;
    if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    const key = readPublicKey(publicKey);
    return key !== undefined && verify(null, message, key, signature);
  }
}

/** @returns `undefined` when OpenSSL does not take the bytes for a key. */
function readPublicKey(bytes: Uint8Array): KeyObject | undefined {
  try {
    const der = Buffer.from(concatBytes([PUBLIC_HEAD, bytes]));
    return createPublicKey({ key: der, format: "der", type: "spki" });
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}
