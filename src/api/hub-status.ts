import { z } from "zod";

/** `GET /api/v1/status`: what a hub is doing, for its administrators. */
export const hubStatusSchema = z
  .object({
    version: z.string(),
    /** Address of the web site. */
    url: z.string(),
    startedAt: z.iso.datetime(),
    dataFolder: z.string(),
    /** Bytes left on its disk; null when unknown. */
    freeBytes: z.number().nullable(),
    torrents: z.number().int(),
    /** Of all torrents. */
    bytes: z.number(),
    /** Since the start. */
    everseed: z.object({
      uploaded: z.number(),
      downloaded: z.number(),
      peers: z.number().int(),
    }),
    tracker: z.object({
      /** Torrents with peers, and those peers. */
      swarms: z.number().int(),
      peers: z.number().int(),
      udpPort: z.number().int(),
    }),
  })
  .meta({ id: "HubStatus" });

export type HubStatus = z.infer<typeof hubStatusSchema>;
