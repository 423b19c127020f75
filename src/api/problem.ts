import { z } from "zod";

/** Stable codes of the hub's refusals; codes are only ever added. The hub owns the table to HTTP statuses. */
export const PROBLEM_CODES = [
  "bad_request",
  "bad_name",
  "bad_offset",
  "not_signed_in",
  "wrong_password",
  "wrong_setup_key",
  "weak_password",
  "not_allowed",
  "cross_site",
  "wrong_host",
  "setup_needed",
  "setup_done",
  "not_found",
  "removed",
  "conflict",
  "too_large",
  "too_many_files",
  "too_many_requests",
  "disk_full",
  "disk_error",
  "unsupported",
  "busy",
  "internal",
] as const;

/** The body of every API answer other than a success. */
export const problemSchema = z
  .object({
    error: z.object({
      code: z.enum(PROBLEM_CODES),
      /** What happened and why, one or two sentences for people. */
      message: z.string(),
      /** What to do about it. */
      hint: z.string().optional(),
      /** Names the line in the hub's log. Present when the fault is ours. */
      id: z.string().optional(),
      /** Seconds to wait before the next try. */
      retryAfter: z.number().int().optional(),
    }),
  })
  .meta({ id: "Problem" });

export type ProblemCode = (typeof PROBLEM_CODES)[number];
export type Problem = z.infer<typeof problemSchema>;
