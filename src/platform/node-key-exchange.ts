import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  type KeyObject,
  type PublicKeyInput,
} from "node:crypto";
import { concatBytes, fromHex } from "../base/bytes.ts";
import { EXCHANGE_KEY_BYTES, type KeyExchange } from "../ports/key-exchange.ts";

const PRIME = fromHex(
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563",
)!;
const GENERATOR = Uint8Array.of(2);

// Tags of DER.
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_ID = 0x06;
const SEQUENCE = 0x30;

/** PKCS #3: `dhKeyAgreement` with the prime and the generator. */
const ALGORITHM = der(
  SEQUENCE,
  der(OBJECT_ID, fromHex("2a864886f70d010301")!),
  der(SEQUENCE, whole(PRIME), whole(GENERATOR)),
);

/**
 * The key exchange by OpenSSL. Each key becomes a key object, by way of its encoding: constructing a `DiffieHellman` would take
 * 16 to 33 ms, because OpenSSL then checks the prime, and a short download would notice. Per exchange the objects cost
 * a tenth more. It computes in the calling thread: to describe a job to another thread takes as long as the computation.
 */
export class NodeKeyExchange implements KeyExchange {
  #generator: KeyObject | undefined;

  publicKey(privateKey: Uint8Array): Uint8Array {
    // The generator, raised to the private key: what a peer with the private key 1 would share with us.
    this.#generator ??= publicKeyOf(GENERATOR);
    return raise(this.#generator, privateKey);
  }

  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
    return raise(publicKeyOf(publicKey), privateKey);
  }
}

function raise(publicKey: KeyObject, exponent: Uint8Array): Uint8Array {
  const version = whole(Uint8Array.of(0));
  const encoded = der(SEQUENCE, version, ALGORITHM, der(OCTET_STRING, whole(exponent)));
  const privateKey = createPrivateKey({ key: Buffer.from(encoded), format: "der", type: "pkcs8" });
  const number = diffieHellman({ privateKey, publicKey });
  const bytes = new Uint8Array(EXCHANGE_KEY_BYTES);
  bytes.set(number, EXCHANGE_KEY_BYTES - number.length);
  return bytes;
}

function publicKeyOf(number: Uint8Array): KeyObject {
  const encoded = der(SEQUENCE, ALGORITHM, der(BIT_STRING, Uint8Array.of(0), whole(number)));
  const input: PublicKeyInput = { key: Buffer.from(encoded), format: "der", type: "spki" };
  return createPublicKey(input);
}

/** A number that is not negative, big-endian. */
function whole(number: Uint8Array): Uint8Array {
  const first = number.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? Uint8Array.of(0) : number.subarray(first);
  return der(INTEGER, digits[0]! < 0x80 ? digits : concatBytes([Uint8Array.of(0), digits]));
}

function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concatBytes(parts);
  // Nothing here is longer than a byte can count.
  const head = content.length < 0x80 ? [tag, content.length] : [tag, 0x81, content.length];
  return concatBytes([Uint8Array.from(head), content]);
}
