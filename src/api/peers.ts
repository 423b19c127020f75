import { z } from "zod";

/** Why a download is no faster: the first cause that applies. */
export const slownessSchema = z.enum([
  "own-limit",
  "disk",
  "nobody-known",
  "nobody-reached",
  "nobody-has-it",
  "all-choke",
  "peers",
]);

/** One peer that is connected to the hub's everseed. */
export const peerEntrySchema = z
  .object({
    /** `192.0.2.7:6881`. */
    address: z.string(),
    /** Its own name for itself. From outside. */
    client: z.string(),
    transport: z.enum(["tcp", "utp", "webrtc"]),
    /** `header`: only the start of the stream is encrypted. */
    encryption: z.enum(["none", "header", "rc4"]),
    /** The source that named its address first; `incoming` for a peer that called us. */
    source: z.enum([
      "manual",
      "magnet",
      "resume",
      "incoming",
      "tracker",
      "dht",
      "pex",
      "lsd",
      "webrtc",
    ]),
    /** Its part of the torrent, from 0 to 1. */
    progress: z.number(),
    /** It wants something of us, and whether we let it take that. */
    wants: z.boolean(),
    waits: z.boolean(),
    uploaded: z.number(),
    downloaded: z.number(),
    uploadBytesPerSecond: z.number(),
    downloadBytesPerSecond: z.number(),
  })
  .meta({ id: "PeerEntry" });

/** `GET /api/v1/torrents/{id}/peers`. */
export const peerListSchema = z
  .object({
    /** Why the everseed's repair is no faster; null when it lacks nothing. */
    cause: slownessSchema.nullable(),
    /** The fastest first; none while the torrent sleeps. */
    peers: z.array(peerEntrySchema),
  })
  .meta({ id: "PeerList" });

export type Slowness = z.infer<typeof slownessSchema>;
export type PeerEntry = z.infer<typeof peerEntrySchema>;
export type PeerList = z.infer<typeof peerListSchema>;
