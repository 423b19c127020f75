import type { Log, LogFields } from "../ports/log.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

/**
 * A log for a person at a terminal: one readable line for each entry.
 *
 * @param level - Entries below it are left out.
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

/** Quotes text that could pass for more than one field, so that outside text cannot forge one. */
function inWords(value: unknown): string {
  if (typeof value === "string" && !/["=]/.test(value)) return value;
  return JSON.stringify(value) ?? "";
}
