import type { Log, LogFields } from "../ports/log.ts";

/** A log for a person at a terminal: one line of words for each entry. */
export function wordsLog(write: (line: string) => void): Log {
  const entry = (message: string, fields?: LogFields): void => {
    const details = Object.entries(fields ?? {}).map(
      ([name, value]) => `${name}=${inWords(value)}`,
    );
    write([message, ...details].join(" "));
  };
  return { debug: entry, info: entry, warn: entry, error: entry };
}

function inWords(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
