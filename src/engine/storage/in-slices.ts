import type { Work } from "../../base/work.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** Other torrents and peers have a turn after this. */
const SLICE_MS = 4;

/**
 * Does work a few milliseconds at a time.
 *
 * @param onDone - Called within the call itself where one slice is enough, as it is for nearly every torrent.
 * @returns Gives the work up; harmless once it is done.
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
