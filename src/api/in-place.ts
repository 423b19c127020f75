import { z } from "zod";
import { titleSchema } from "./torrents.ts";
import { versionInputSchema } from "./versions.ts";

/** Asks a hub, through its data folder, to publish content in its owner's folder. */
export const inPlaceRequestSchema = z.object({
  root: z.string().startsWith("/"),
  title: titleSchema.optional(),
  /** Wall milliseconds when hashing began. */
  checkedAt: z.number(),
  /** The look of the files then; null when they were changed meanwhile. */
  stamp: z.string().nullable(),
  /** Makes it the newest version of a publication (BEP 46). */
  version: versionInputSchema.optional(),
});

export const inPlaceAnswerSchema = z.union([
  z.object({
    torrentId: z.string(),
    wasHere: z.boolean(),
    title: z.string(),
    pageUrl: z.string(),
    magnet: z.string(),
  }),
  /** The request waits until the hub is set up. */
  z.object({ waitsFor: z.literal("setup") }),
  z.object({
    problem: z.string(),
    code: z.enum(["bad-plan", "changed", "not-readable", "not-found", "disk-error"]),
  }),
]);

export type InPlaceAnswer = z.infer<typeof inPlaceAnswerSchema>;
