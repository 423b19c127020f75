import { z } from "zod";
import { KIND_DEFAULT } from "./kinds.ts";
import {
  COMMENT_CHARACTERS_MAX,
  titleSchema,
  torrentKindSchema,
  torrentSummarySchema,
} from "./torrents.ts";

/** What one draft may declare at most (HUB-8). */
export const DRAFT_FILES_MAX = 200_000;
const PATH_CHARACTERS_MAX = 4096;
const TRACKERS_MAX = 100;
const TRACKER_CHARACTERS_MAX = 2048;
const NAME_CHARACTERS_MAX = 255;
/** 100,000 pieces in base64. */
const V1_PIECES_CHARACTERS_MAX = 2_666_668;
const V2_PIECES_CHARACTERS_MAX = 4_266_668;

/** One file that is going to be uploaded. */
export const draftFileSchema = z.object({
  /** Below the torrent's folder, parts joined by "/", the folder's own name left out. */
  path: z.string().min(1).max(PATH_CHARACTERS_MAX),
  /** Bytes. */
  size: z.number().int().min(0),
  /** Milliseconds since 1970. Only compared: a file that changed in between makes a new draft. */
  modified: z.number().int().optional(),
  /** A program: the torrent says so (BEP 47). Browsers cannot tell. */
  executable: z.boolean().optional(),
});

/**
 * `POST /api/v1/drafts`: what is going to be uploaded and how to publish it. The same declaration by
 * the same person finds its unfinished draft again: that is how an upload goes on after everything
 * was closed.
 */
export const draftInputSchema = z
  .object({
    /** What the folder, or the file, is called on disk: part of the torrent. Cleaned by the hub. */
    name: z.string().min(1).max(NAME_CHARACTERS_MAX),
    /** What people read: free text, kept to the letter. `name` as it came when absent; no name of a file. */
    title: titleSchema.optional(),
    /** False: one file that is the torrent; its `path` is not looked at. */
    folder: z.boolean(),
    files: z.array(draftFileSchema).min(1).max(DRAFT_FILES_MAX),
    kind: torrentKindSchema.default(KIND_DEFAULT),
    /** Bytes, a power of two from 16 KiB to 256 MiB. */
    pieceSize: z.union([z.literal("auto"), z.number().int()]).default("auto"),
    private: z.boolean().default(false),
    comment: z.string().max(COMMENT_CHARACTERS_MAX).optional(),
    source: z.string().max(NAME_CHARACTERS_MAX).optional(),
    /** Announce URLs besides the hub's own, which come first; those of the hub may be among them. */
    trackers: z.array(z.string().max(TRACKER_CHARACTERS_MAX)).max(TRACKERS_MAX).optional(),
  })
  .meta({ id: "DraftInput" });

/**
 * `POST /api/v1/drafts/{id}/pieces`: hashes of all pieces, taken where the files are, as the draft's kind needs them.
 * When their content is published here already, the draft ends without another byte and leads there; else nothing
 * changes.
 */
export const draftPiecesSchema = z
  .object({
    /** SHA-1 of each piece, 20 bytes, one after the other in base64; for v1 and hybrid. */
    v1: z.base64().max(V1_PIECES_CHARACTERS_MAX).optional(),
    /** The merkle node of each piece, 32 bytes, the root for a file of at most one piece; for v2 and hybrid. */
    v2: z.base64().max(V2_PIECES_CHARACTERS_MAX).optional(),
  })
  .meta({ id: "DraftPieces" });

/**
 * `POST /api/v1/drafts/known`: the same without a draft, before anybody decides to upload. `files` stand in the order
 * of the torrent, and are `KNOWN_FILES_MAX` at most.
 */
export const knownInputSchema = draftInputSchema
  .extend({ pieces: draftPiecesSchema })
  .meta({ id: "KnownInput" });

/** Null: it is not here, or it is damaged here, or the files stand in another order. */
export const knownContentSchema = z
  .object({ torrent: torrentSummarySchema.nullable() })
  .meta({ id: "KnownContent" });

/**
 * A declared upload. One tus resource at `uploadPath` takes all files one after the other, in the order
 * `order`: a single offset says how far the upload got.
 */
export const draftSchema = z
  .object({
    /** Also the id of the torrent, once it is published. */
    id: z.string(),
    /** The title. */
    name: z.string(),
    folder: z.boolean(),
    fileCount: z.number().int(),
    /** Bytes of all files. */
    size: z.number(),
    /** Bytes the hub has. */
    offset: z.number(),
    kind: torrentKindSchema,
    pieceSize: z.number().int(),
    private: z.boolean(),
    createdAt: z.iso.datetime(),
    /**
     * `uploading` waits for bytes. `published`: `torrent` is there, perhaps under another id when the same
     * content was here before. `failed`: `problem` says why; what was uploaded is kept.
     */
    state: z.enum(["uploading", "published", "failed"]),
    problem: z.string().nullable(),
    /** Path of the tus resource on this site: HEAD, PATCH, DELETE, tus 1.0.0, no creation. */
    uploadPath: z.string(),
    /** Absolute; the torrent's page from the first second. */
    pageUrl: z.string(),
    torrent: torrentSummarySchema.nullable(),
  })
  .meta({ id: "Draft" });

/** The answer to a declaration: what the uploader needs on top. */
export const declaredDraftSchema = draftSchema
  .extend({
    /** Indexes into the declared `files`: send their bytes in this order. */
    order: z.array(z.number().int()),
    /** Files whose names were changed so that every system can store them. */
    renamed: z.array(z.object({ from: z.string(), to: z.string() })),
    /** True when an unfinished draft was found again: the upload goes on at `offset`. */
    resumed: z.boolean(),
  })
  .meta({ id: "DeclaredDraft" });

export const draftListSchema = z.object({ drafts: z.array(draftSchema) }).meta({ id: "DraftList" });

/** What the caller sends: defaults may be left out. */
export type DraftInput = z.input<typeof draftInputSchema>;
export type KnownInput = z.input<typeof knownInputSchema>;
export type KnownContent = z.infer<typeof knownContentSchema>;
export type DraftPieces = z.infer<typeof draftPiecesSchema>;
export type Draft = z.infer<typeof draftSchema>;
export type DeclaredDraft = z.infer<typeof declaredDraftSchema>;
