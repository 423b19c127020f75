import { z } from "zod";
import { titleSchema } from "./torrents.ts";

/** Asks a hub, through its data folder, to publish content where it lies. */
export const inPlaceRequestSchema = z.object({
  root: z.string().startsWith("/"),
  title: titleSchema.optional(),
  /** Wall milliseconds when the hashes began to be computed. */
  checkedAt: z.number(),
  /** What the files looked like then; null when somebody wrote to them meanwhile. */
  stamp: z.string().nullable(),
});

export const inPlaceAnswerSchema = z.union([
  z.object({
    torrentId: z.string(),
    wasHere: z.boolean(),
    title: z.string(),
    pageUrl: z.string(),
    magnet: z.string(),
  }),
  /** It stays until the hub is set up, and is taken in then. */
  z.object({ waitsFor: z.literal("setup") }),
  z.object({
    problem: z.string(),
    code: z.enum(["bad-plan", "changed", "not-readable", "not-found", "disk-error"]),
  }),
]);

export type InPlaceAnswer = z.infer<typeof inPlaceAnswerSchema>;
