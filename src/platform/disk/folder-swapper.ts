import { renameSync, symlinkSync, unlinkSync } from "node:fs";
import { workerData } from "node:worker_threads";

/** A thread that swaps a folder for a link to another one and back, as fast as it can, until it is told to stop. */
export interface FolderSwap {
  readonly folder: string;
  /** Where the link leads. */
  readonly outside: string;
  /** Not zero in the first place ends it. The second counts the swaps. */
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

/** Whoever is raced may have made the folder anew in the moment in which there was none. */
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
