import type { z } from "zod";

/**
 * Describes a wrong value in a request: the first problem that a schema found.
 *
 * @param at - The place of the value in the request.
 * @returns A sentence for people.
 */
export function issueWords(error: z.ZodError, at: readonly (string | number)[] = []): string {
  const [issue] = error.issues;
  const path = [...at, ...(issue?.path ?? [])];
  const where = path.length > 0 ? `${path.map(String).join(".")}: ` : "";
  const what = issue ? wordsOf(issue) : "It is not what was expected";
  return `${where}${what.replace(/\.$/, "")}.`;
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "too_big":
      return `It ${measured(issue.origin, "more", issue.maximum)}`;
    case "too_small":
      if (issue.minimum === 1 && UNITS.has(issue.origin)) return "It is empty";
      return `It ${measured(issue.origin, "fewer", issue.minimum)}`;
    default:
      return issue.message;
  }
}

/** The units of counted things; a number has its own size. */
const UNITS: ReadonlyMap<string, string> = new Map([
  ["string", "characters"],
  ["array", "entries"],
]);

function measured(origin: string, side: "more" | "fewer", limit: number | bigint): string {
  const unit = UNITS.get(origin);
  if (unit !== undefined) return `has ${side} than ${limit} ${unit}`;
  return `is ${side === "more" ? "more" : "less"} than ${limit}`;
}
