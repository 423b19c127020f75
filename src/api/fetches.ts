import { z } from "zod";
import { slownessSchema } from "./peers.ts";
import { MAGNET_CHARACTERS_MAX } from "./source-limits.ts";
import { torrentSummarySchema } from "./torrents.ts";

export const fetchInputSchema = z
  /** An infohash stands for a magnet link with nothing else. */
  .object({ magnet: z.string().min(1).max(MAGNET_CHARACTERS_MAX) })
  .meta({ id: "FetchInput" });

/** A tracker's message for people. The text comes from outside. */
const trackerNoticeSchema = z
  .object({
    /** `warning`: it answers and has a message. `failure`: it refuses, or does not answer. */
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
    /** The torrent's name; its infohash until the name is known. */
    name: z.string(),
    /** 40 hexadecimal digits, the wire form. */
    infohash: z.string(),
    createdAt: z.iso.datetime(),
    /**
     * `finding` the details of a magnet link; `checking` data from before a restart; `fetching`; `stalled`: no peer
     * has sent anything for a while; `waiting`: the disk refuses for now; `failed`: `problem` says why; `published`:
     * `torrent` is there, perhaps under another id when it was already here.
     */
    state: z.enum(["finding", "checking", "fetching", "stalled", "waiting", "failed", "published"]),
    problem: z.string().nullable(),
    /** Bytes of all files; null until the details are known. */
    size: z.number().nullable(),
    bytesDone: z.number(),
    bytesPerSecond: z.number(),
    peers: z.number().int(),
    /** Why it is no faster; null while nothing is downloaded. */
    slowness: slownessSchema.nullable(),
    /** Current messages of its trackers, warnings first; 20 at most. */
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
