/** ISO 8601 in UTC, as JSON and `<time>` carry it. @param wallMs - Milliseconds since 1970. */
export function isoTime(wallMs: number): string {
  return Temporal.Instant.fromEpochMilliseconds(Math.round(wallMs)).toString();
}
