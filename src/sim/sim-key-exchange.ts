import { fromHex, toHex } from "../base/bytes.ts";
import { EXCHANGE_KEY_BYTES, type KeyExchange } from "../ports/key-exchange.ts";

const PRIME =
  0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a63a36210000000000090563n;

/** The key exchange by whole numbers of the language: a second implementation, which the first is compared with. */
export class SimKeyExchange implements KeyExchange {
  publicKey(privateKey: Uint8Array): Uint8Array {
    return bytesOf(power(2n, numberOf(privateKey)));
  }

  sharedSecret(privateKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
    return bytesOf(power(numberOf(publicKey), numberOf(privateKey)));
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % PRIME;
    square = (square * square) % PRIME;
  }
  return result;
}

function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function bytesOf(number: bigint): Uint8Array {
  return fromHex(number.toString(16).padStart(2 * EXCHANGE_KEY_BYTES, "0"))!;
}
