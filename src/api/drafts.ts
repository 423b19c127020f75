import { z } from "zod";
import { KIND_DEFAULT } from "./kinds.ts";
import {
  COMMENT_CHARACTERS_MAX,
  titleSchema,
  torrentKindSchema,
  torrentSummarySchema,
} from "./torrents.ts";

/** The most that one draft may declare (HUB-8). */
export const DRAFT_FILES_MAX = 200_000;
const PATH_CHARACTERS_MAX = 4096;
const TRACKERS_MAX = 100;
const TRACKER_CHARACTERS_MAX = 2048;
const NAME_CHARACTERS_MAX = 255;
/** 100,000 pieces in base64. */
const V1_PIECES_CHARACTERS_MAX = 2_666_668;
const V2_PIECES_CHARACTERS_MAX = 4_266_668;

/** One file to be uploaded. */
export const draftFileSchema = z.object({
  /** Below the torrent's folder, parts joined by "/", the folder's own name left out. */
  path: z.string().min(1).max(PATH_CHARACTERS_MAX),
  /** Bytes. */
  size: z.number().int().min(0),
  /** Milliseconds since 1970, only used in comparisons: a file that has changed makes a new draft. */
  modified: z.number().int().optional(),
  /** A program: the torrent says so (BEP 47). Browsers cannot tell. */
  executable: z.boolean().optional(),
});

/**
 * `POST /api/v1/drafts`: the files to upload and how to publish them. The same declaration by the same person finds
 * its unfinished draft again, so an upload can continue after everything was closed.
 */
export const draftInputSchema = z
  .object({
    /** The name of the folder, or the file, on disk: part of the torrent. The hub cleans it. */
    name: z.string().min(1).max(NAME_CHARACTERS_MAX),
    /** The title for people: free text, kept to the letter. By default `name` as it came. It names no file. */
    title: titleSchema.optional(),
    /** False: the torrent is this one file; its `path` is ignored. */
    folder: z.boolean(),
    files: z.array(draftFileSchema).min(1).max(DRAFT_FILES_MAX),
    kind: torrentKindSchema.default(KIND_DEFAULT),
    /** Bytes, a power of two from 16 KiB to 256 MiB. */
    pieceSize: z.union([z.literal("auto"), z.number().int()]).default("auto"),
    private: z.boolean().default(false),
    comment: z.string().max(COMMENT_CHARACTERS_MAX).optional(),
    source: z.string().max(NAME_CHARACTERS_MAX).optional(),
    /** Announce URLs besides the hub's own, which come first; the list may repeat the hub's. */
    trackers: z.array(z.string().max(TRACKER_CHARACTERS_MAX)).max(TRACKERS_MAX).optional(),
  })
  .meta({ id: "DraftInput" });

/**
 * `POST /api/v1/drafts/{id}/pieces`: hashes of all pieces, computed where the files are, for the draft's kind. When
 * their content is already published here, the draft ends without another byte and leads to that torrent; otherwise
 * nothing changes.
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
 * `POST /api/v1/drafts/known`: the same without a draft, before somebody decides to upload. `files` must be in the
 * order of the torrent, and at most `KNOWN_FILES_MAX`.
 */
export const knownInputSchema = draftInputSchema
  .extend({ pieces: draftPiecesSchema })
  .meta({ id: "KnownInput" });

/** Null: it is not here, it is damaged here, or the files are in another order. */
export const knownContentSchema = z
  .object({ torrent: torrentSummarySchema.nullable() })
  .meta({ id: "KnownContent" });

/**
 * A declared upload. One tus resource at `uploadPath` receives all files one after the other, in the order `order`: a
 * single offset tells the progress of the upload.
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
     * `uploading` waits for bytes. `published`: `torrent` is there, perhaps under another id when the same content
     * was already here. `failed`: `problem` says why; uploaded bytes are kept.
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

/** The answer to a declaration: a draft with what the uploader needs besides. */
export const declaredDraftSchema = draftSchema
  .extend({
    /** Indexes into the declared `files`: send their bytes in this order. */
    order: z.array(z.number().int()),
    /** Files whose names were changed so that every system can store them. */
    renamed: z.array(z.object({ from: z.string(), to: z.string() })),
    /** True when an unfinished draft was found again: the upload continues at `offset`. */
    resumed: z.boolean(),
  })
  .meta({ id: "DeclaredDraft" });

export const draftListSchema = z.object({ drafts: z.array(draftSchema) }).meta({ id: "DraftList" });

/** The caller's form of it: defaults may be left out. */
export type DraftInput = z.input<typeof draftInputSchema>;
export type KnownInput = z.input<typeof knownInputSchema>;
export type KnownContent = z.infer<typeof knownContentSchema>;
export type DraftPieces = z.infer<typeof draftPiecesSchema>;
export type Draft = z.infer<typeof draftSchema>;
export type DeclaredDraft = z.infer<typeof declaredDraftSchema>;
