import { isoTime } from "../base/iso-time.ts";
import type { Removal } from "../publish/publications.ts";
import type { HubParts } from "./hub-parts.ts";
import { notFound, RefusedError } from "./problems.ts";

/**
 * Explains why a torrent or a part of it is not available: it was removed, it is not here yet, or it never existed.
 *
 * @param what - Names the missing thing in the last case: "torrent", "file".
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
    hint: failed ? "The person who asked for it can try again." : "Try again in a while.",
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
        : `Its publisher and the administrators of this hub can undo that until ${dayOf(undoUntilMs)}.`,
  });
}

/** The day in UTC. */
function dayOf(wallMs: number): string {
  return isoTime(wallMs).slice(0, 10);
}
