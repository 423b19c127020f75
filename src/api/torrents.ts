import { z } from "zod";
import { TITLE_CHARACTERS_MAX } from "./source-limits.ts";
import { torrentVersionSchema } from "./versions.ts";

export const COMMENT_CHARACTERS_MAX = 10_000;

export const torrentKindSchema = z.enum(["v1", "v2", "hybrid"]);

/**
 * Peers of a torrent as our tracker sees them now. The everseed counts as a seed while its copy is whole, that is,
 * while `fault` is null.
 */
export const swarmFiguresSchema = z
  .object({
    seeds: z.number().int(),
    leechers: z.number().int(),
    /** Downloads reported as finished, over all time. */
    completed: z.number().int(),
    /** The hub's current upload speed, to peers and direct downloads. */
    uploadBytesPerSecond: z.number(),
    /** Bytes that the everseed has sent since this hub started. */
    uploaded: z.number(),
    /** The damage of the everseed's own copy, in words; null when none is known. */
    fault: z.string().nullable(),
    /**
     * How many the DHT counts, about (BEP 33), this hub among them. Null while that is not known: it is asked for when somebody
     * looks at the torrent. Always null for private torrents, and while the DHT is off.
     */
    dht: z
      .object({
        seeds: z.number().int(),
        leechers: z.number().int(),
        countedAt: z.iso.datetime(),
      })
      .nullable(),
  })
  .meta({ id: "SwarmFigures" });

/** One row of the catalogue. */
export const torrentSummarySchema = z
  .object({
    /** Short name in links, never reused. */
    id: z.string(),
    /** The title: free text, no name of a file. */
    name: z.string(),
    /** Bytes of all files, padding not counted. */
    size: z.number(),
    fileCount: z.number().int(),
    kind: torrentKindSchema,
    private: z.boolean(),
    publishedAt: z.iso.datetime(),
    publishedBy: z.string(),
    /** 40 hexadecimal digits; null in a v2-only torrent. */
    infohashV1: z.string().nullable(),
    /** 64 hexadecimal digits; null in a v1-only torrent. */
    infohashV2: z.string().nullable(),
    magnet: z.string(),
    /** Absolute. */
    pageUrl: z.string(),
    /** Absolute. */
    torrentUrl: z.string(),
    swarm: swarmFiguresSchema,
  })
  .meta({ id: "TorrentSummary" });

export const torrentFileSchema = z
  .object({
    /** Identifies the file in links; counts real files only, in the torrent's order. */
    index: z.number().int(),
    /** Below the torrent's folder, parts joined by "/"; the name itself when the torrent is one file. */
    path: z.string(),
    size: z.number(),
    /** Path on this site, for `href`. */
    downloadPath: z.string(),
    /** False while the hub's own copy of it is missing or damaged: a download would fail. */
    whole: z.boolean(),
  })
  .meta({ id: "TorrentFile" });

/** Everything about one torrent except its files, which come in pages. */
export const torrentDetailSchema = torrentSummarySchema
  .extend({
    folder: z.boolean(),
    comment: z.string().nullable(),
    createdBy: z.string().nullable(),
    pieceSize: z.number().int(),
    pieceCount: z.number().int(),
    trackers: z.array(z.string()),
    /** When every byte was last compared with its hash; at the earliest, on arrival. */
    checkedAt: z.iso.datetime(),
    /** Files that the hub has whole; equal to `fileCount` when there is no damage. */
    wholeFileCount: z.number().int(),
    /** The publications that it is a version of; nearly always none or one. */
    versions: z.array(torrentVersionSchema),
    /** The first files; `fileCount` tells whether there are more. */
    files: z.array(torrentFileSchema),
  })
  .meta({ id: "TorrentDetail" });

/** The title of a publication: any text that is not empty. */
export const titleSchema = z.string().max(TITLE_CHARACTERS_MAX).regex(/\S/, "It is empty");

/** `PATCH /api/v1/torrents/{id}`: fields that are left out stay unchanged. */
export const torrentChangeSchema = z
  .object({
    /** The title. No file is renamed. */
    name: titleSchema.optional(),
    /** The description; null or empty removes it. */
    comment: z.string().max(COMMENT_CHARACTERS_MAX).nullable().optional(),
  })
  .meta({ id: "TorrentChange" });

/** A removed torrent. Its address answers 410. */
export const removalSchema = z
  .object({
    id: z.string(),
    /** The title; null once the torrent is gone with its bytes. */
    name: z.string().nullable(),
    /** Null when the account is gone. */
    removedBy: z.string().nullable(),
    removedAt: z.iso.datetime(),
    /** It can be restored until then; null when it cannot. */
    undoUntil: z.iso.datetime().nullable(),
  })
  .meta({ id: "Removal" });

/** Files shown with the torrent itself; more by `GET /api/v1/torrents/{id}/files?offset=`. */
export const FILES_PER_PAGE = 200;

export const torrentFilesSchema = z
  .object({ total: z.number().int(), offset: z.number().int(), files: z.array(torrentFileSchema) })
  .meta({ id: "TorrentFiles" });

/** Torrents on one page of the catalogue. */
export const TORRENTS_PER_PAGE = 50;

export const torrentListSchema = z
  .object({
    /** The words searched for; empty for the whole catalogue. */
    query: z.string(),
    /** Counts from 1. */
    page: z.number().int(),
    pages: z.number().int(),
    /** Of a search 1,000 at most; more cannot be looked through. */
    total: z.number().int(),
    /** There are more than `total`. */
    more: z.boolean(),
    /** Nothing has the words as they were typed; these torrents have words one letter away from them. */
    similar: z.boolean(),
    /** Newest first. */
    torrents: z.array(torrentSummarySchema),
  })
  .meta({ id: "TorrentList" });

export type SwarmFigures = z.infer<typeof swarmFiguresSchema>;
export type TorrentSummary = z.infer<typeof torrentSummarySchema>;
export type TorrentFileEntry = z.infer<typeof torrentFileSchema>;
export type TorrentDetail = z.infer<typeof torrentDetailSchema>;
export type Removal = z.infer<typeof removalSchema>;
export type TorrentFiles = z.infer<typeof torrentFilesSchema>;
export type TorrentList = z.infer<typeof torrentListSchema>;
