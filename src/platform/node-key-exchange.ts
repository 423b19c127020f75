import { createDiffieHellman, type DiffieHellman } from "node:crypto";
import { EXCHANGE_KEY_BYTES, type KeyExchange } from "../ports/key-exchange.ts";

const PRIME =
  "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
  "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563";

/**
 * The key exchange by OpenSSL. Constructing its object takes 16 ms, because OpenSSL checks the prime: one is made, when it
 * is first needed, and gets each private key in turn. It computes in the calling thread: to describe a job to another
 * thread (a key object of the peer's key, and the job) takes as long as the computation.
 */
export class NodeKeyExchange implements KeyExchange {
  #exchange: DiffieHellman | undefined;

  publicKey(privateKey: Uint8Array): Uint8Array {
    return padded(this.#with(privateKey).generateKeys());
  }

  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
    return padded(this.#with(privateKey).computeSecret(publicKey));
  }

  #with(privateKey: Uint8Array): DiffieHellman {
    this.#exchange ??= createDiffieHellman(PRIME, "hex", 2);
    this.#exchange.setPrivateKey(privateKey);
    return this.#exchange;
  }
}

function padded(number: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(EXCHANGE_KEY_BYTES);
  bytes.set(number, EXCHANGE_KEY_BYTES - number.length);
  return bytes;
}
