import { readUint32, writeUint32 } from "../base/bytes.ts";
import { WireError } from "./wire-error.ts";

/** Payload of an lt_donthave message (BEP 54): "I no longer have this piece". */
export function encodeDontHave(piece: number): Uint8Array {
  const payload = new Uint8Array(4);
  writeUint32(payload, 0, piece);
  return payload;
}

/**
 * @returns The piece.
 * @throws {WireError} `bad-extension` for another length, `bad-index` past the bound.
 */
export function decodeDontHave(payload: Uint8Array, bound: number): number {
  if (payload.length !== 4) {
    throw new WireError("bad-extension", `lt_donthave of ${payload.length} bytes`);
  }
  const piece = readUint32(payload, 0);
  if (piece >= bound) throw new WireError("bad-index", `lt_donthave of piece ${piece}`);
  return piece;
}
