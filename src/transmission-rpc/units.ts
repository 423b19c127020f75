/** Speeds are told in kB a second. Transmission says itself how many bytes that is, in `units`. */
const KILO = 1_000;

/** What a limit of 0 becomes: here 0 is no limit, and there it lets nothing through. */
const ALMOST_NOTHING = 1;

/** The largest speed that a program may ask for, in kB a second. */
export const SPEED_MAX = 1_000_000_000;

export function kilobytes(bytes: number): number {
  return Math.round(bytes / KILO);
}

/** @returns Bytes a second of a limit that is switched on. */
export function bytesOfLimit(kilobytesPerSecond: number): number {
  return Math.max(ALMOST_NOTHING, kilobytesPerSecond * KILO);
}

/** The field `units`: what the numbers of this protocol mean. */
export const UNITS = {
  "speed-units": ["kB/s", "MB/s", "GB/s", "TB/s"],
  "speed-bytes": KILO,
  "size-units": ["kB", "MB", "GB", "TB"],
  "size-bytes": KILO,
  "memory-units": ["KiB", "MiB", "GiB", "TiB"],
  "memory-bytes": 1_024,
} as const;

/** Wall milliseconds as seconds; 0 where there is none. */
export function seconds(wallMs: number | undefined): number {
  return wallMs === undefined ? 0 : Math.floor(wallMs / 1_000);
}

/** A ratio that is a limit: 0 means never here, and at once there. */
export function ratioOfLimit(ratio: number): number {
  return Math.max(1e-6, ratio);
}
