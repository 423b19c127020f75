import type { Log, LogFields } from "../ports/log.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/**
 * A log for a person at a terminal: one line of words for each entry.
 *
 * @param level - What is below is left out.
 */
export function wordsLog(
  write: (line: string) => void,
  level: (typeof LEVELS)[number] = "debug",
): Log {
  const least = LEVELS.indexOf(level);
  const entry = (rank: number, message: string, fields?: LogFields): void => {
    if (rank < least) return;
    const details = Object.entries(fields ?? {}).map(
      ([name, value]) => `${name}=${inWords(value)}`,
    );
    write([message, ...details].join(" "));
  };
  return {
    debug: (message, fields) => entry(0, message, fields),
    info: (message, fields) => entry(1, message, fields),
    warn: (message, fields) => entry(2, message, fields),
    error: (message, fields) => entry(3, message, fields),
  };
}

/** Text in quotes where it could pass for more than one field: outside text tells of nothing but itself. */
function inWords(value: unknown): string {
  if (typeof value === "string" && !/["=]/.test(value)) return value;
  return JSON.stringify(value) ?? "";
}
