import { z } from "zod";
import { MAGNET_CHARACTERS_MAX } from "./source-limits.ts";
import { torrentSummarySchema } from "./torrents.ts";

export const fetchInputSchema = z
  /** An infohash stands for a link that has nothing else. */
  .object({ magnet: z.string().min(1).max(MAGNET_CHARACTERS_MAX) })
  .meta({ id: "FetchInput" });

/** Words of a tracker that a person wants to know: texts from outside. */
const trackerNoticeSchema = z
  .object({
    /** `warning`: it answers, and has something to say. `failure`: it refuses, or does not answer. */
    kind: z.enum(["warning", "failure"]),
    /** Scheme, host and port. */
    tracker: z.string(),
    message: z.string(),
  })
  .meta({ id: "TrackerNotice" });

export type TrackerNotice = z.infer<typeof trackerNoticeSchema>;

/** A torrent that the hub fetches from its swarm to publish it. */
export const fetchSchema = z
  .object({
    /** Also the id of the torrent, once it is published. */
    id: z.string(),
    /** Of the torrent; its infohash until somebody told the name. */
    name: z.string(),
    /** 40 hexadecimal digits, as peers say it. */
    infohash: z.string(),
    createdAt: z.iso.datetime(),
    /**
     * `finding` its details, by a magnet link; `checking` what came before a restart; `fetching`; `stalled`: nobody
     * has sent anything for a while; `waiting`: the disk refuses for now; `failed`: `problem` says why;
     * `published`: `torrent` is there, perhaps under another id when it was here before.
     */
    state: z.enum(["finding", "checking", "fetching", "stalled", "waiting", "failed", "published"]),
    problem: z.string().nullable(),
    /** Bytes of all files; null until the details are known. */
    size: z.number().nullable(),
    bytesDone: z.number(),
    bytesPerSecond: z.number(),
    peers: z.number().int(),
    /** What its trackers say now, warnings first; 20 at most. */
    trackerNotices: z.array(trackerNoticeSchema).readonly(),
    /** Absolute; the torrent's page from the first second. */
    pageUrl: z.string(),
    torrent: torrentSummarySchema.nullable(),
  })
  .meta({ id: "Fetch" });

export const fetchListSchema = z
  .object({ fetches: z.array(fetchSchema) })
  .meta({ id: "FetchList" });

export type FetchView = z.infer<typeof fetchSchema>;
