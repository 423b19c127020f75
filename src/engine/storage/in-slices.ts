import type { Work } from "../../base/work.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** After this time other torrents and peers get a turn. */
const SLICE_MS = 4;

/**
 * Does work a few milliseconds at a time.
 *
 * @param onDone - Called within this call when one slice is enough, as it is for nearly every torrent.
 * @returns A function that stops the work; it does nothing once the work is done.
 */
export function inSlices<Result>(
  clock: Clock,
  work: Work<Result>,
  onDone: (result: Result) => void,
): () => void {
  let timer: Timer | undefined;
  const slice = (): void => {
    const beginMs = clock.nowMs();
    for (;;) {
      const step = work.next();
      if (step.done) return onDone(step.value);
      if (clock.nowMs() - beginMs < SLICE_MS) continue;
      timer = clock.startTimer(0, slice);
      return;
    }
  };
  slice();
  return () => timer?.cancel();
}
