import { isoTime } from "../base/iso-time.ts";
import type { Removal } from "../publish/publications.ts";
import type { HubParts } from "./hub-parts.ts";
import { notFound, RefusedError } from "./problems.ts";

/**
 * Why something of a torrent cannot be had: it was taken back, or there never was such a thing.
 *
 * @param what - For the second case: "torrent", "file".
 */
export async function absent(
  { publications }: Pick<HubParts, "publications">,
  id: string,
  what: string,
): Promise<RefusedError> {
  const removal = await publications.findRemoved(id);
  return removal ? removed(removal) : notFound(what);
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
