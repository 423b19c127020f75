import type { RpcArguments } from "./rpc-arguments.ts";
import { notHere, RpcError } from "./rpc-error.ts";

const LABEL_CHARACTERS_MAX = 100;

/**
 * Reads `labels`. A transfer has one label here, which its limits hang on.
 *
 * @returns `null` for none; `undefined` when it is not given.
 * @throws {RpcError} For several.
 */
export function labelArgument(args: RpcArguments): string | null | undefined {
  const labels = args.texts("labels");
  if (labels === undefined) return undefined;
  const [label, ...more] = [...new Set(labels.map((text) => text.trim()))];
  if (label === undefined) return null;
  if (more.length > 0) throw notHere("A torrent has one label here, not several.");
  if (label === "" || label.includes(",") || label.length > LABEL_CHARACTERS_MAX) {
    throw new RpcError(
      "bad-request",
      `A label has 1 to ${LABEL_CHARACTERS_MAX} characters and no comma.`,
    );
  }
  return label;
}
