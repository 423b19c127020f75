import type { Work } from "../../base/work.ts";
import type { Clock, Timer } from "../../ports/clock.ts";

/** After this time other torrents and peers get a turn. */
const SLICE_MS = 4;

/** How far work has got when `inSlices` returns. */
export type Sliced<Result> =
  /** One slice was enough, as it is for nearly every torrent. */
  | { readonly kind: "done"; readonly result: Result }
  /** @property cancel - Stops the work; it does nothing once the work is done. */
  | { readonly kind: "under-way"; readonly cancel: () => void };

/**
 * Does work a few milliseconds at a time.
 *
 * @param onDone - Called when more than one slice was needed; never within this call.
 */
export function inSlices<Result>(
  clock: Clock,
  work: Work<Result>,
  onDone: (result: Result) => void,
): Sliced<Result> {
  let timer: Timer | undefined;
  const wait = (): void => {
    timer = clock.startTimer(0, () => {
      const step = slice(clock, work);
      if (step.done) onDone(step.value);
      else wait();
    });
  };
  const first = slice(clock, work);
  if (first.done) return { kind: "done", result: first.value };
  wait();
  return { kind: "under-way", cancel: () => timer?.cancel() };
}

/** @returns The last step of one slice. */
function slice<Result>(clock: Clock, work: Work<Result>): IteratorResult<unknown, Result> {
  const beginMs = clock.nowMs();
  for (;;) {
    const step = work.next();
    if (step.done || clock.nowMs() - beginMs >= SLICE_MS) return step;
  }
}
