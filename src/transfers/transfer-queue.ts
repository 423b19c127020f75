/** A download that wants to run. */
export interface Candidate {
  readonly id: string;
  /** It is in the engine. */
  readonly isRunning: boolean;
  /** Milliseconds without a byte; 0 while bytes arrive, and while it does not run. */
  readonly stalledMs: number;
  /** It was stalled while others waited, and rests. */
  readonly isResting: boolean;
}

export interface QueueLimits {
  /** Downloads that make progress; 0: any number. */
  readonly downloadsMax: number;
  /** Downloads in the engine altogether. */
  readonly runningMax: number;
}

/** A download without a byte for this long does not keep others waiting. */
export const STALLED_MS = 60_000;

/**
 * Decides which downloads run: the first of the queue, as many as may make progress. Downloads for which nothing
 * arrives run beside them, because nobody knows when their peers come back, until there is no room: then those that
 * are stalled for longest rest for a while.
 *
 * @param candidates - In the order of the queue.
 * @returns `run`: ids that are to run. `rest`: of the running ones, those that give up their place for a while.
 */
export function chooseDownloads(
  candidates: readonly Candidate[],
  { downloadsMax, runningMax }: QueueLimits,
): { readonly run: ReadonlySet<string>; readonly rest: readonly string[] } {
  const slots = downloadsMax === 0 ? Number.POSITIVE_INFINITY : downloadsMax;
  const run = new Set<string>();
  const stalled: Candidate[] = [];
  let counted = 0;
  let waiting = 0;
  for (const candidate of candidates) {
    if (candidate.isResting) waiting += 1;
    else if (candidate.isRunning && candidate.stalledMs >= STALLED_MS) stalled.push(candidate);
    else if (counted < slots && run.size < runningMax) {
      counted += 1;
      run.add(candidate.id);
    } else waiting += 1;
  }
  const rest: string[] = [];
  const byStall = stalled.toSorted((a, b) => a.stalledMs - b.stalledMs);
  // One place is kept free for whoever waits: the queue moves on even when everything is stalled.
  const room = runningMax - run.size - (waiting > 0 && counted === 0 ? 1 : 0);
  for (const [index, { id }] of byStall.entries()) {
    if (index < room) run.add(id);
    else rest.push(id);
  }
  return { run, rest };
}
