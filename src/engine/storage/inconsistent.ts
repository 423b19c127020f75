import type { PieceVerdict } from "../../ports/content.ts";

/** A piece of a hybrid that matches one of its two hashes. */
export type Inconsistent = Extract<PieceVerdict, { kind: "corrupt" }> & {
  readonly fault: "v1" | "v2";
};

/**
 * Right by one of the two hashes of a hybrid's piece and wrong by the other (BEP 52): what matches one is
 * what its author hashed, so no peer can send anything better.
 */
export function isInconsistent(verdict: PieceVerdict): verdict is Inconsistent {
  return verdict.kind === "corrupt" && verdict.fault !== "both";
}
