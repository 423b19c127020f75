import type { TransferParts } from "./control-parts.ts";
import { RefusedError } from "./problems.ts";

/** @throws {RefusedError} Where the node keeps no transfers. */
export function demandTransfers(parts: TransferParts | undefined): TransferParts {
  if (!parts) throw new RefusedError(OFF);
  return parts;
}

const OFF = {
  status: 409,
  code: "conflict",
  message: "This node keeps no transfers.",
  hint: "The key services.transfers turns them on.",
} as const;
