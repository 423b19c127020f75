/** Numbers for people. Binary units everywhere, one decimal, figures of constant width. */

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] as const;

/** @returns `2.3 GiB`; whole bytes below 1 KiB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 1023.95 would be shown as 1024.0: the next unit begins where rounding reaches it.
  while (unit < byteUnits.length - 1 && value >= (unit === 0 ? 1024 : 1023.95)) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${Math.round(value)} B` : `${value.toFixed(1)} ${byteUnits[unit]}`;
}

/** @returns A power of two without decimals: `256 KiB`, `4 MiB`. */
export function formatPieceSize(bytes: number): string {
  return formatBytes(bytes).replace(".0 ", " ");
}

/** @returns `2,432,696,320 bytes`, for tooltips. */
export function formatExactBytes(bytes: number): string {
  return `${formatCount(bytes)} ${bytes === 1 ? "byte" : "bytes"}`;
}

export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** @returns `1,208`: the same on the server and in every browser. */
export function formatCount(count: number): string {
  return String(Math.trunc(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** @returns `1 file`, `14 files`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** @returns `36 s`, `3 min`, `2 h 10 min`, `4 days`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  if (minutes < 48 * 60) {
    const rest = minutes % 60;
    return rest === 0
      ? `${Math.floor(minutes / 60)} h`
      : `${Math.floor(minutes / 60)} h ${rest} min`;
  }
  return plural(Math.round(minutes / 60 / 24), "day");
}

const agoSteps: readonly (readonly [secondsBelow: number, secondsEach: number, word: string])[] = [
  [3600, 60, "minute"],
  [24 * 3600, 3600, "hour"],
  [14 * 24 * 3600, 24 * 3600, "day"],
  [60 * 24 * 3600, 7 * 24 * 3600, "week"],
  [730 * 24 * 3600, 30.44 * 24 * 3600, "month"],
  [Infinity, 365.25 * 24 * 3600, "year"],
];

/** @returns `just now`, `3 days ago`, `in 3 days`; "unknown" when there is no such time. */
export function formatAgo(atMs: number, nowMs: number): string {
  if (!Number.isFinite(atMs)) return "unknown";
  const seconds = Math.abs(nowMs - atMs) / 1000;
  if (seconds < 60) return atMs > nowMs + 1000 ? "in a minute" : "just now";
  const step = agoSteps.find(([secondsBelow]) => seconds < secondsBelow);
  const [, secondsEach, word] = step ?? [Infinity, 1, "second"];
  const amount = plural(Math.max(1, Math.floor(seconds / secondsEach)), word);
  return atMs > nowMs ? `in ${amount}` : `${amount} ago`;
}

/** @returns `2026-11-21 03:37:05 UTC`. */
export function formatUtc(atMs: number): string {
  if (!Number.isFinite(atMs)) return "unknown";
  return `${new Date(atMs).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/**
 * Shortens from the middle, so that the ending of a file name stays visible.
 *
 * @param charactersMax - Whole characters (code points) kept, including the ellipsis.
 */
export function cutMiddle(text: string, charactersMax: number): string {
  if (text.length <= charactersMax) return text;
  const characters = [...text];
  if (characters.length <= charactersMax) return text;
  const tail = Math.floor((charactersMax - 1) / 3);
  const head = charactersMax - 1 - tail;
  return `${characters.slice(0, head).join("")}…${characters.slice(-tail).join("")}`;
}

/**
 * Outside text without the characters that rewrite their surroundings (MET-4): controls and bidirectional embeddings,
 * overrides and isolates become a visible mark.
 */
export function visible(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** The same for prose, which keeps its lines and tabs. */
export function visibleLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => line.split("\t").map(visible).join("\t"))
    .join("\n");
}
