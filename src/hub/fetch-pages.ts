import { DRAFT_FILES_MAX } from "../api/drafts.ts";
import type { FetchPage, PublishPage } from "../api/pages.ts";
import { torrentPagePath } from "../api/paths.ts";
import { toHex } from "../base/bytes.ts";
import { isoTime } from "../base/iso-time.ts";
import type { Fetch } from "../publish/fetch-state.ts";
import type { HubEnv, HubParts } from "./hub-parts.ts";
import { qrCode } from "./qr-code.ts";
import { Views } from "./views.ts";

type Asked = Pick<HubEnv["Variables"], "origin" | "work">;

/** The publish page, opened at one of its tabs. */
export async function publishPage(
  parts: HubParts,
  asked: Asked,
  userId: string,
  shown: Pick<PublishPage, "from"> & Partial<Pick<PublishPage, "source" | "problem" | "first">>,
): Promise<PublishPage> {
  const { publisher, fetches, site, limits } = parts;
  const views = new Views(parts, asked);
  const drafts = await publisher.listOpen(userId);
  const open = await fetches.listOpen(userId);
  return {
    kind: "publish",
    first: false,
    source: "",
    problem: null,
    freeBytes: await site.freeBytes(),
    uploadBytesMax: limits.uploadBytesMax ?? null,
    filesMax: DRAFT_FILES_MAX,
    drafts: await Promise.all(drafts.map((draft) => views.draft(draft))),
    fetches: await Promise.all(open.map((fetch) => views.fetch(fetch))),
    ...shown,
  };
}

/**
 * The page of a torrent that is being fetched. Strangers see its name and progress; not the peers, and not why it
 * failed, because a torrent that turns out to be private must not be shown to them.
 *
 * @param mine - True for people who may cancel it.
 * @returns `undefined` when it is published.
 */
export async function fetchModel(
  fetch: Fetch,
  { origin, work }: Asked,
  mine: boolean,
): Promise<FetchPage | undefined> {
  const { id, state, size, bytesDone, problem, bytesPerSecond, peers, trackerNotices, slowness } =
    fetch;
  if (state === "published") return undefined;
  const name = state === "failed" && !mine ? null : fetch.name;
  const pageUrl = origin + torrentPagePath(id, name ?? "");
  return {
    kind: "fetch",
    id,
    name,
    createdAt: isoTime(fetch.createdMs),
    state,
    size,
    bytesDone,
    pageUrl,
    qr: await work.once(() => qrCode(pageUrl)),
    mine: mine
      ? {
          infohash: toHex(fetch.infohash),
          problem,
          bytesPerSecond,
          peers,
          slowness,
          trackerNotices,
        }
      : null,
  };
}
