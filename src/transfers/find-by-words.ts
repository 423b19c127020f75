import type { TransferRow, TransferTable } from "../store/transfers.ts";
import { TransfersError } from "./transfers-error.ts";

/**
 * Finds a transfer by its id, the beginning of it while no other begins so, or its exact name.
 *
 * @throws {TransfersError} (rejects) `not-found`, `ambiguous`.
 */
export async function findByWords(
  transfers: Pick<TransferTable, "findByPrefix" | "findByName">,
  words: string,
): Promise<TransferRow> {
  const prefix = words.toLowerCase();
  const byId = /^[0-9a-f]{1,40}$/.test(prefix) ? await transfers.findByPrefix(prefix, 2) : [];
  const rows = byId.length > 0 ? byId : await transfers.findByName(words, 2);
  if (rows.length > 1) {
    throw new TransfersError("ambiguous", `Several transfers are called ${words}.`);
  }
  const [row] = rows;
  if (!row) throw new TransfersError("not-found", `No transfer has the id or name ${words}.`);
  return row;
}
