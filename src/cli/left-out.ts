import type { Output } from "./output.ts";
import { escapeOutside } from "./outside-text.ts";

/** Warns about files that will not be in the torrent, before the content is read, which may take hours. */
export function warnLeftOut(
  output: Pick<Output, "warn">,
  skipped: readonly { readonly path: string; readonly why: string }[],
): void {
  for (const { path, why } of skipped) output.warn(`${escapeOutside(path)} is left out: ${why}`);
}
