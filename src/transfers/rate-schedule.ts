import type { Rates, RateSpan, TransferSettings } from "./transfer-settings.ts";

const DAY_MINUTES = 1_440;
const DAYS = 7;

/** A moment of the week in the owner's time. */
export interface WeekMoment {
  /** 0: Sunday. */
  readonly day: number;
  /** Minutes of the day. */
  readonly minute: number;
}

/** @param timeZone - Of the owner, as the system names it. */
export function weekMoment(wallMs: number, timeZone: string): WeekMoment {
  const { dayOfWeek, hour, minute } = Temporal.Instant.fromEpochMilliseconds(
    Math.floor(wallMs),
  ).toZonedDateTimeISO(timeZone);
  return { day: dayOfWeek % DAYS, minute: hour * 60 + minute };
}

/** The rates that hold now. */
export function ratesAt(
  { rates, alternative }: Pick<TransferSettings, "rates" | "alternative">,
  moment: WeekMoment,
): Rates {
  const isOther = alternative.on || alternative.spans.some((span) => isWithin(span, moment));
  const { down, up } = isOther ? alternative : rates;
  return { down, up };
}

/** A span that ends before it begins goes on into the next day. */
function isWithin({ days, begin, end }: RateSpan, { day, minute }: WeekMoment): boolean {
  if (begin < end) return days.includes(day) && minute >= begin && minute < end;
  const yesterday = (day + DAYS - 1) % DAYS;
  return (
    (days.includes(day) && minute >= begin && minute < DAY_MINUTES) ||
    (days.includes(yesterday) && minute < end)
  );
}
