import { isoTime } from "../base/iso-time.ts";
import type { Removal } from "../publish/publications.ts";
import type { HubParts } from "./hub-parts.ts";
import { notFound, RefusedError } from "./problems.ts";

/**
 * Why something of a torrent cannot be had: it was taken back, it is not here yet, or there never was such a thing.
 *
 * @param what - For the second case: "torrent", "file".
 */
export async function absent(
  { publications, fetches }: Pick<HubParts, "publications" | "fetches">,
  id: string,
  what: string,
): Promise<RefusedError> {
  const removal = await publications.findRemoved(id);
  if (removal) return removed(removal);
  const fetch = await fetches.find(id);
  return fetch && fetch.state !== "published"
    ? notHereYet(fetch.state === "failed")
    : notFound(what);
}

function notHereYet(failed: boolean): RefusedError {
  return new RefusedError({
    status: 404,
    code: "not_found",
    message: failed
      ? "This hub could not fetch this torrent from its swarm."
      : "This hub is fetching this torrent from its swarm, and does not have it yet.",
    hint: failed ? "Whoever asked for it can have it tried again." : "Try again in a while.",
  });
}

function removed(removal: Removal): RefusedError {
  const { removedBy, removedMs, undoUntilMs } = removal;
  const who = removedBy === null ? "" : ` by ${removedBy}`;
  return new RefusedError({
    status: 410,
    code: "removed",
    message: `This torrent was removed${who} on ${dayOf(removedMs)}.`,
    hint:
      undoUntilMs === null
        ? "It cannot come back: its files are gone."
        : `Whoever published it, and the administrators of this hub, can undo that until ${dayOf(undoUntilMs)}.`,
  });
}

/** The day in UTC. */
function dayOf(wallMs: number): string {
  return isoTime(wallMs).slice(0, 10);
}
