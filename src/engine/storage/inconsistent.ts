import type { PieceVerdict } from "../../ports/content.ts";

/** A piece of a hybrid that matches only one of its two hashes. */
export type Inconsistent = Extract<PieceVerdict, { kind: "corrupt" }> & {
  readonly fault: "v1" | "v2";
};

/**
 * The piece of a hybrid matches one of its hashes and not the other (BEP 52). The author hashed these bytes, so
 * no peer can send anything better.
 */
export function isInconsistent(verdict: PieceVerdict): verdict is Inconsistent {
  return verdict.kind === "corrupt" && verdict.fault !== "both";
}
