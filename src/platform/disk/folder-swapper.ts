import { renameSync, symlinkSync, unlinkSync } from "node:fs";
import { workerData } from "node:worker_threads";

/**
 * A thread that swaps a folder for a link to another one and back, as fast as it can, until it is
 * stopped.
 */
export interface FolderSwap {
  readonly folder: string;
  /** The link's target. */
  readonly outside: string;
  /** A nonzero first element ends the thread. The second counts the swaps. */
  readonly stop: Int32Array;
}

const { folder, outside, stop } = workerData as FolderSwap;
let made = 0;
while (Atomics.load(stop, 0) === 0) {
  takePlace(() => renameSync(folder, `${folder}-away`));
  takePlace(() => symlinkSync(outside, folder));
  unlinkSync(folder);
  takePlace(() => renameSync(`${folder}-away`, folder));
  Atomics.add(stop, 1, 1);
}

/** The code under test may have recreated the folder in the moment in which there was none. */
function takePlace(take: () => void): void {
  for (;;) {
    try {
      take();
      return;
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "EEXIST" && code !== "ENOTEMPTY") throw error;
      made += 1;
      renameSync(folder, `${folder}-made-${made}`);
    }
  }
}
