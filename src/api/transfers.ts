import { z } from "zod";
import { peerEntrySchema } from "./peers.ts";
import { MAGNET_CHARACTERS_MAX } from "./source-limits.ts";

/** The longest path of a folder; no system allows more. */
const PATH_CHARACTERS_MAX = 4_096;
/** The longest name of a file; no system allows more. */
const NAME_CHARACTERS_MAX = 255;
const LABEL_CHARACTERS_MAX = 100;
const URL_CHARACTERS_MAX = 2_048;
/** Labels with limits of their own. */
const LABELS_MAX = 1_000;
/** Changes of one kind in one request. */
const CHANGES_MAX = 100;
/** Files whose priority one request changes. */
const FILES_MAX = 100_000;
const PATTERN_CHARACTERS_MAX = 1_000;
/** Rows of one answer. */
export const TRANSFERS_PER_PAGE = 1_000;

const bytesPerSecond = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const folder = z.string().min(1).max(PATH_CHARACTERS_MAX);
const label = z.string().min(1).max(LABEL_CHARACTERS_MAX);
const minutes = z.number().int().min(0).max(10_000_000);

/** When seeding ends by itself. Absent: what is chosen for the label, or for all, holds. 0: never. */
export const shareLimitsSchema = z
  .object({
    ratio: z.number().min(0).max(1_000_000).optional(),
    seedingMinutes: minutes.optional(),
    /** Without a peer that took anything. */
    idleMinutes: minutes.optional(),
  })
  .meta({ id: "ShareLimits" });

export const transferStateSchema = z.enum([
  /** It waits until fewer downloads run. */
  "queued",
  "checking",
  /** Its content is here in another transfer, and is brought from there. */
  "taking",
  /** A link's details are asked for. */
  "finding",
  "downloading",
  /** Nothing arrives. */
  "stalled",
  "seeding",
  "paused",
  "moving",
  "removing",
  /** The disk refuses for now; it goes on by itself. */
  "waiting",
  /** It cannot go on until somebody does something. */
  "failed",
]);

/** A torrent that the node keeps. Sizes in bytes, rates in bytes a second. */
export const transferSchema = z
  .object({
    /** Its infohash in the wire form, v1 where there is one; the beginning suffices while no other begins so. */
    id: z.string(),
    /** Hexadecimal. */
    infohashV1: z.string().nullable(),
    infohashV2: z.string().nullable(),
    /** From outside. */
    name: z.string(),
    state: transferStateSchema,
    /** Why, in words; null where the state says it all. */
    cause: z.string().nullable(),
    /** The same as one word, for programs: `disk-full`, `ratio`, `nobody-has-it`, `asleep`; null where there is none. */
    reason: z.string().nullable(),
    /** Of what is wanted, 0 to 100; null until the details are known. */
    percent: z.number().nullable(),
    /** How far the check of its content, or bringing it here, has got: 0 to 100; null otherwise. */
    checkedPercent: z.number().nullable(),
    /** Wanted; null until the details are known. */
    size: z.number().nullable(),
    done: z.number(),
    down: z.number(),
    up: z.number(),
    downloaded: z.number(),
    uploaded: z.number(),
    /** Sent for each byte wanted; null until the details are known. */
    ratio: z.number().nullable(),
    /** Connected, and how many are known. */
    peers: z.number().int(),
    seeds: z.number().int(),
    knownPeers: z.number().int(),
    /** Seconds until it is done; null when nobody can tell. */
    eta: z.number().nullable(),
    label: z.string().nullable(),
    /** Its place in the queue: lower ones come first. */
    position: z.number().int(),
    /** Absolute. */
    folder: z.string(),
    private: z.boolean(),
    /** Of its own; 0 is none. */
    downLimit: z.number(),
    upLimit: z.number(),
    shareLimits: z.union([shareLimitsSchema, z.null()]),
    /** Its files are fetched from the beginning to the end. */
    sequential: z.boolean(),
    /** The beginning and the end of each file before the rest of it. */
    firstAndLast: z.boolean(),
    seededSeconds: z.number(),
    addedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime().nullable(),
    activeAt: z.iso.datetime(),
  })
  .meta({ id: "Transfer" });

/** `GET /api/v1/transfers`. */
export const transferListSchema = z
  .object({
    transfers: z.array(transferSchema),
    /** `after` of the next page; null on the last. */
    next: z.number().int().nullable(),
    counts: z.object({ all: z.number(), finished: z.number(), stopped: z.number() }),
  })
  .meta({ id: "TransferList" });

const url = z.string().min(1).max(URL_CHARACTERS_MAX);
/** `address:port`. */
const peer = z.string().min(1).max(100);
/** A glob: without a slash of a file's name, with one of its whole path. */
const pattern = z.string().min(1).max(PATTERN_CHARACTERS_MAX);

const addOptions = {
  /** Absolute; receives, or holds, the files. */
  folder: folder.optional(),
  label: label.optional(),
};

/** `POST /api/v1/transfers`. */
export const transferInputSchema = z
  .strictObject({
    /** A magnet link, an infohash, or the URL of a .torrent file. */
    source: z.string().min(1).max(MAGNET_CHARACTERS_MAX),
    ...addOptions,
    stopped: z.boolean().optional(),
    /** Before all others in the queue. */
    first: z.boolean().optional(),
    /** Globs of the files that are wanted; those of a link are chosen when it is known which files there are. */
    select: z.array(pattern).max(CHANGES_MAX).optional(),
    /** From the beginning to the end, not the rarest pieces first. */
    sequential: z.boolean().optional(),
    /** The beginning and the end of each file before the rest of it. */
    firstAndLast: z.boolean().optional(),
    /** 0: no limit of its own. */
    downLimit: bytesPerSecond.optional(),
    upLimit: bytesPerSecond.optional(),
    shareLimits: shareLimitsSchema.optional(),
    /** More announce URLs. */
    trackers: z.array(url).max(CHANGES_MAX).optional(),
    /** Peers to ask first, `address:port`. */
    peers: z.array(peer).max(CHANGES_MAX).optional(),
    /** One that is here already takes on trackers and peers, instead of a refusal; nothing else of it changes. */
    merge: z.boolean().optional(),
  })
  .meta({ id: "TransferInput" });

const flag = z.enum(["true", "false"]).transform((text) => text === "true");
const whole = z
  .string()
  .regex(/^[0-9]{1,15}$/)
  .transform(Number);
const wholeMinutes = z
  .string()
  .regex(/^[0-9]{1,7}$/)
  .transform(Number);
const decimal = z
  .string()
  .regex(/^[0-9]{1,6}(\.[0-9]{1,6})?$/)
  .transform(Number);

/** A name that a query may have several times. */
function several(item: z.ZodString) {
  return z
    .union([z.array(item).max(CHANGES_MAX), item])
    .transform((given) => (typeof given === "string" ? [given] : given));
}

/** The query of `POST /api/v1/transfers/torrent`, whose body is the file: `TransferInput`, lists by repeated names. */
export const transferFileQuerySchema = z.strictObject({
  ...addOptions,
  stopped: flag.optional(),
  first: flag.optional(),
  select: several(pattern).optional(),
  sequential: flag.optional(),
  firstAndLast: flag.optional(),
  downLimit: whole.optional(),
  upLimit: whole.optional(),
  ratio: decimal.optional(),
  seedingMinutes: wholeMinutes.optional(),
  idleMinutes: wholeMinutes.optional(),
  trackers: several(url).optional(),
  peers: several(peer).optional(),
  merge: flag.optional(),
});

export const transferRemovalQuerySchema = z.object({
  /** Its files are deleted too. */
  content: flag.default(false),
});

export const transferMoveSchema = z.object({ folder }).meta({ id: "TransferMove" });

/** `POST /api/v1/transfers/{id}/rename`. */
export const transferRenameSchema = z
  .object({
    /** Of a file, as `TransferFiles` has it, or of a folder. */
    path: z.string().min(1).max(PATH_CHARACTERS_MAX),
    /** The new name of its last part. */
    name: z.string().min(1).max(NAME_CHARACTERS_MAX),
  })
  .meta({ id: "TransferRename" });

const urls = z.array(url).max(CHANGES_MAX);

/** `skip`: left out. The others are fetched, the highest first. */
export const filePrioritySchema = z
  .enum(["skip", "low", "normal", "high"])
  .meta({ id: "FilePriority" });

/** `PATCH /api/v1/transfers/{id}`; what is absent stays. */
export const transferEditSchema = z
  .strictObject({
    label: label.nullable().optional(),
    /** 0: no limit of its own. */
    downLimit: bytesPerSecond.optional(),
    upLimit: bytesPerSecond.optional(),
    /** Null: those for the label, or for all, hold. */
    shareLimits: z.union([shareLimitsSchema, z.null()]).optional(),
    /** By index. */
    files: z
      .record(z.string().regex(/^[0-9]{1,7}$/), filePrioritySchema)
      .refine((files) => Object.keys(files).length <= FILES_MAX, "too many files")
      .optional(),
    /** From the beginning to the end, or the rarest pieces first. */
    sequential: z.boolean().optional(),
    /** The beginning and the end of each file before the rest of it. */
    firstAndLast: z.boolean().optional(),
    position: z.enum(["first", "last"]).optional(),
    addTrackers: urls.optional(),
    removeTrackers: urls.optional(),
    /** `address:port`. */
    addPeers: z.array(peer).max(CHANGES_MAX).optional(),
  })
  .meta({ id: "TransferEdit" });

/** `POST /api/v1/transfers/queue`. */
export const queueMoveSchema = z
  .strictObject({
    /** They keep their order among themselves; others than unfinished ones are left out. */
    ids: z.array(z.string().min(1).max(1_000)).min(1).max(TRANSFERS_PER_PAGE),
    /** To an end, one place on, or right before another one. */
    to: z.union([
      z.enum(["first", "last", "up", "down"]),
      z.strictObject({ before: z.string().min(1).max(1_000) }),
    ]),
  })
  .meta({ id: "QueueMove" });

/** `POST /api/v1/transfers/batch`: the same for many. */
export const transferBatchSchema = z
  .strictObject({
    ids: z.array(z.string().min(1).max(1_000)).min(1).max(TRANSFERS_PER_PAGE),
    command: z.enum(["start", "stop", "recheck", "announce", "remove", "edit"]),
    /** For `remove`: their files are deleted too. */
    content: z.boolean().optional(),
    /** For `edit`. */
    edit: transferEditSchema.optional(),
  })
  .meta({ id: "TransferBatch" });

export const transferBatchResultSchema = z
  .object({
    /** The others are done. */
    refused: z.array(z.object({ id: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: "TransferBatchResult" });

export const transferFilesSchema = z
  .object({
    files: z.array(
      z.object({
        index: z.number().int(),
        /** Below the folder, joined by "/". From outside. */
        path: z.string(),
        length: z.number(),
        done: z.number(),
        priority: filePrioritySchema,
      }),
    ),
  })
  .meta({ id: "TransferFiles" });

/** `POST /api/v1/transfers/{id}/files/{index}/link`. */
export const mediaLinkSchema = z
  .object({
    /** On this site, with a key in it: whoever has it reads this file. */
    path: z.string(),
    endsAt: z.iso.datetime(),
  })
  .meta({ id: "MediaLink" });

export const transferPeersSchema = z
  .object({
    peers: z.array(
      peerEntrySchema.extend({
        amChoking: z.boolean(),
        amInterested: z.boolean(),
        peerChoking: z.boolean(),
        peerInterested: z.boolean(),
      }),
    ),
  })
  .meta({ id: "TransferPeers" });

export const transferTrackersSchema = z
  .object({
    /** Announce URLs. */
    tiers: z.array(z.array(z.string())),
    /** Of those that are asked now. */
    trackers: z.array(
      z.object({
        /** Scheme, host and port. */
        name: z.string(),
        tier: z.number().int(),
        state: z.enum(["idle", "announcing", "working", "failing"]),
        /** From outside. */
        message: z.string().nullable(),
        nextAnnounceSeconds: z.number().nullable(),
        seeds: z.number().nullable(),
        leechers: z.number().nullable(),
        peersGiven: z.number().int(),
      }),
    ),
  })
  .meta({ id: "TransferTrackers" });

/** `GET /api/v1/transfers/{id}/pieces`. */
export const transferPiecesSchema = z
  .object({
    /** 0 until the details are known. */
    pieceCount: z.number().int(),
    pieceLength: z.number(),
    /** One bit for each piece that is here, in base64; bit 7 of the first byte is piece 0. Null while nobody knows. */
    have: z.string().nullable(),
    /** Pieces of which a part is here. */
    started: z.array(z.number().int()),
    /** For each of at most 240 cells the copies of its rarest piece among the peers; empty while it does not run. */
    copies: z.array(z.number().int()),
    /** The pieces with the fewest copies, of those that are missing here, or of all; from `first` to `last`. */
    rarest: z
      .object({ copies: z.number().int(), first: z.number().int(), last: z.number().int() })
      .nullable(),
  })
  .meta({ id: "TransferPieces" });

/** `GET /api/v1/transfers/{id}/log`. */
export const transferLogSchema = z
  .object({
    lines: z.array(
      z.object({
        at: z.iso.datetime(),
        /** Something went wrong. */
        trouble: z.boolean(),
        /** Parts of it come from outside. */
        message: z.string(),
      }),
    ),
  })
  .meta({ id: "TransferLog" });

export const speedSpanSchema = z.enum(["5m", "1h", "24h"]);

/** `GET /api/v1/transfers/speed` and `GET /api/v1/transfers/{id}/speed`. */
export const speedGraphSchema = z
  .object({
    slotSeconds: z.number(),
    /** Of the last slot. */
    endsAt: z.iso.datetime(),
    /** Bytes a second in each slot, the oldest first. */
    down: z.array(z.number()),
    up: z.array(z.number()),
  })
  .meta({ id: "SpeedGraph" });

const ratesSchema = z.object({ down: bytesPerSecond, up: bytesPerSecond });
const minuteOfDay = z.number().int().min(0).max(1_440);

/** A folder whose .torrent and .magnet files are added. */
export const watchFolderSchema = z
  .strictObject({
    /** Absolute. */
    folder,
    /** What becomes of a file that was added: it gets the ending `.added`, or is deleted. Default: `rename`. */
    taken: z.enum(["rename", "delete"]).optional(),
    label: label.optional(),
    /** Absolute; receives the content. */
    into: folder.optional(),
    stopped: z.boolean().optional(),
  })
  .meta({ id: "WatchFolder" });

/** `GET /api/v1/transfers/watch-folders`: how they are doing, those of the configuration too. */
export const watchedFoldersSchema = z
  .object({
    folders: z.array(
      z.object({
        folder: z.string(),
        /** Why nothing is taken from it now; null while all is well. */
        trouble: z.string().nullable(),
        /** Files taken since the start of the node. */
        taken: z.number().int(),
        /** Files that stay where they are, and why. Names come from outside. */
        files: z.array(z.object({ name: z.string(), why: z.string() })),
      }),
    ),
  })
  .meta({ id: "WatchedFolders" });

/** `GET /api/v1/transfers/settings`; a PATCH changes what it names. */
export const transferSettingsSchema = z
  .strictObject({
    /** Absolute, for what is added from now on; absent: the one in the configuration. */
    folder: folder.optional(),
    /** Downloads that run at one time; 0: any number. */
    downloadsMax: z.number().int().min(0).max(10_000),
    /** Seeds that are kept awake without a peer. */
    idleSeedsMax: z.number().int().min(0).max(10_000),
    /** Torrents in the engine at one time. */
    awakeMax: z.number().int().min(1).max(10_000),
    shareLimits: shareLimitsSchema,
    /** 0: no limit. */
    rates: ratesSchema,
    /** Instead of `rates`, while a span says so or `on` is set. */
    alternative: ratesSchema.extend({
      on: z.boolean(),
      spans: z
        .array(
          z.object({
            /** 0: Sunday. */
            days: z.array(z.number().int().min(0).max(6)).min(1).max(7),
            /** Minutes of the day, local time. */
            begin: minuteOfDay,
            end: minuteOfDay,
          }),
        )
        .max(CHANGES_MAX),
    }),
    /** For the transfers with a label: `rates` are shared by all of them. */
    labels: z
      .record(
        label,
        z.object({ shareLimits: shareLimitsSchema.optional(), rates: ratesSchema.optional() }),
      )
      .refine((labels) => Object.keys(labels).length <= LABELS_MAX, "too many labels"),
    /** Besides those of the configuration. */
    watchFolders: z.array(watchFolderSchema).max(CHANGES_MAX),
  })
  .meta({ id: "TransferSettings" });

export const transferSettingsChangeSchema = transferSettingsSchema
  .partial()
  .meta({ id: "TransferSettingsChange" });

/** `GET /api/v1/transfers/status`: what is around them. */
export const transferStatusSchema = z
  .object({
    /** The limits that hold now; 0: none. */
    rates: ratesSchema.extend({
      /** Those of the schedule, or switched on by hand. */
      alternative: z.boolean(),
      /** When the schedule changes them, in the node's own time; null when it does not. */
      until: z.object({ day: z.number().int(), minute: z.number().int() }).nullable(),
    }),
    /** Absolute; content is put here unless something else is chosen. */
    folder: z.string(),
    /** The disks that hold content, or would. */
    disks: z.array(
      z.object({
        name: z.string(),
        /** Those of its folders that transfers use. */
        folders: z.array(z.string()),
        freeBytes: z.number(),
        totalBytes: z.number(),
      }),
    ),
  })
  .meta({ id: "TransferStatus" });

/** An event of `GET /api/v1/transfers/events`: of each changed transfer its id and what has changed. */
export const transferNewsSchema = z
  .object({
    changed: z.array(transferSchema.partial().extend({ id: z.string() })),
    removed: z.array(z.string()),
  })
  .meta({ id: "TransferNews" });

export type FilePriorityView = z.infer<typeof filePrioritySchema>;
export type TransferInput = z.output<typeof transferInputSchema>;
export type TransferView = z.infer<typeof transferSchema>;
export type TransferPiecesView = z.infer<typeof transferPiecesSchema>;
export type TransferLogView = z.infer<typeof transferLogSchema>;
export type SpeedSpanView = z.infer<typeof speedSpanSchema>;
export type SpeedGraphView = z.infer<typeof speedGraphSchema>;
export type TransferStatus = z.infer<typeof transferStatusSchema>;
export type TransferBatch = z.input<typeof transferBatchSchema>;
export type TransferBatchResult = z.infer<typeof transferBatchResultSchema>;
export type QueueMoveInput = z.infer<typeof queueMoveSchema>;
export type TransferList = z.infer<typeof transferListSchema>;
export type TransferNewsView = z.infer<typeof transferNewsSchema>;
export type TransferFilesView = z.infer<typeof transferFilesSchema>;
export type MediaLinkView = z.infer<typeof mediaLinkSchema>;
export type TransferPeersView = z.infer<typeof transferPeersSchema>;
export type TransferTrackersView = z.infer<typeof transferTrackersSchema>;
export type TransferEditInput = z.input<typeof transferEditSchema>;
export type TransferSettingsView = z.infer<typeof transferSettingsSchema>;
export type TransferSettingsChange = z.input<typeof transferSettingsChangeSchema>;
