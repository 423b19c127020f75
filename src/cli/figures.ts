import { formatBytes } from "../base/format-bytes.ts";

/** Figures as people read and write them: sizes in binary units, rates, spans of time. */

/** `88.1 MiB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/** `10 s`, `3 min`, `2 h 5 min`, `3 days`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.ceil(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.round(hours / 24)} days`;
}

/** `10 s left`; "time left unknown" while nothing moves. */
export function formatLeft(bytesLeft: number, bytesPerSecond: number): string {
  if (bytesPerSecond <= 0) return "time left unknown";
  return `${formatSeconds(bytesLeft / bytesPerSecond)} left`;
}

/** `1 file`, `14 files`. */
export function formatCount(count: number, noun: string): string {
  // By hand, because the first number that Intl formats takes 12 ms.
  const grouped = String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
  return `${grouped} ${noun}${count === 1 ? "" : "s"}`;
}

const MULTIPLIERS: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["k", 1024],
  ["m", 1024 ** 2],
  ["g", 1024 ** 3],
  ["t", 1024 ** 4],
]);

/**
 * Reads `512`, `64K`, `2M`, `1.5 GiB`, `3MiB/s`: binary units, whole bytes.
 *
 * @returns `undefined` when the text is not a size.
 */
export function parseBytes(text: string): number | undefined {
  const match = /^([0-9]{1,15})(\.[0-9]{1,6})? ?([kmgt]?)(?:i?b)?(?:\/s)?$/i.exec(text.trim());
  if (!match) return undefined;
  const multiplier = MULTIPLIERS.get(match[3]!.toLowerCase())!;
  const bytes = Math.round(Number(`${match[1]}${match[2] ?? ""}`) * multiplier);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}
