import type { Log } from "../ports/log.ts";

/**
 * Ends the parts of a program in the reverse order of their start. A part that fails or hangs does not keep the others
 * from ending.
 *
 * @param ends - Emptied, so that no part is ended twice.
 * @param msMax - For all of them together. A part that still hangs then is left behind.
 */
export async function endParts(
  ends: (() => Promise<void>)[],
  { log, msMax }: { readonly log: Log; readonly msMax: number },
): Promise<void> {
  const deadline = Promise.withResolvers<void>();
  const timer = setTimeout(deadline.resolve, msMax);
  for (const end of ends.splice(0).toReversed()) {
    try {
      await Promise.race([end(), deadline.promise]);
    } catch (error) {
      log.warn("a part did not stop cleanly", { why: String(error) });
    }
  }
  clearTimeout(timer);
}
