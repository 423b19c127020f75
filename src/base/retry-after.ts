/** The longest wait that a server may ask for. */
const WAIT_MS_MAX = 60 * 60 * 1000;
const WAIT_MS_MIN = 1000;

/**
 * Reads `Retry-After`: seconds, or a date (RFC 9110 10.2.3).
 *
 * @returns Milliseconds from now, within bounds; `undefined` when it is neither.
 */
export function retryAfterMs(text: string | undefined, wallMs: number): number | undefined {
  const words = text?.trim() ?? "";
  if (/^[0-9]{1,15}$/.test(words)) return bounded(Number(words) * 1000);
  if (!/^[A-Za-z]{3,9},? .{0,40}$/.test(words)) return undefined;
  const atMs = dateMs(words);
  return Number.isNaN(atMs) ? undefined : bounded(atMs - wallMs);
}

function bounded(ms: number): number {
  return Math.min(WAIT_MS_MAX, Math.max(WAIT_MS_MIN, ms));
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** The date that RFC 9110 asks servers to write: `Sun, 06 Nov 1994 08:49:37 GMT`. */
function dateMs(text: string): number {
  const match =
    /^[A-Za-z]{3}, ([0-9]{2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT$/.exec(
      text,
    );
  if (!match) return Number.NaN;
  const [, day, month, year, hours, minutes, seconds] = match;
  const at = MONTHS.indexOf(month!.toLowerCase());
  if (at < 0) return Number.NaN;
  const days = daysSince1970(Number(year), at, Number(day));
  return ((days * 24 + Number(hours)) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000;
}

/** Of the Gregorian calendar, in which March begins the year; without `Date`, which pure rooms do not use. */
function daysSince1970(year: number, month: number, day: number): number {
  const shifted = month < 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * ((month + 10) % 12) + 2) / 5) + day - 1;
  return (
    era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
  );
}
