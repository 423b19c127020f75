import type { FetchView } from "../../src/api/fetches.ts";
import type { Mood } from "./words.tsx";

type Progress = Pick<FetchView, "state" | "size" | "bytesDone">;

/** @returns The state of a torrent that the hub fetches, in a few words. */
export function fetchWords(fetch: Progress): string {
  switch (fetch.state) {
    case "finding":
      return "Finding details";
    case "checking":
      return "Checking what is here";
    case "fetching":
      return isWhole(fetch)
        ? "All here, it is being published"
        : `Fetching ${fetchPercent(fetch)} %`;
    case "stalled":
      return fetch.size === null
        ? "Stalled: no peer has its details"
        : "Stalled: nobody has the pieces that are missing";
    case "waiting":
      return "Waiting for the disk";
    case "failed":
      return "Failed";
    case "published":
      return "Published";
  }
}

export function fetchMood(state: FetchView["state"]): Mood {
  if (state === "failed") return "bad";
  if (state === "published") return "good";
  return state === "stalled" || state === "waiting" ? "warn" : "wait";
}

/** Rounded down: 100 is all of it. */
export function fetchPercent({ size, bytesDone }: Progress): number {
  return size === null || size === 0 ? 0 : Math.floor((bytesDone / size) * 100);
}

function isWhole({ size, bytesDone }: Progress): boolean {
  return size !== null && bytesDone >= size;
}
