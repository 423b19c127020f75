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

/** @property until - The moment at which others hold; `undefined` when the schedule changes nothing. */
export interface RatesNow extends Rates {
  readonly isAlternative: boolean;
  readonly until: WeekMoment | undefined;
}

/** The rates that hold now, and until when. */
export function ratesNow(
  settings: Pick<TransferSettings, "rates" | "alternative">,
  moment: WeekMoment,
): RatesNow {
  const { on, spans } = settings.alternative;
  const isOther = (at: WeekMoment): boolean => on || spans.some((span) => isWithin(span, at));
  const isAlternative = isOther(moment);
  const until = on
    ? undefined
    : momentsAfter(spans, moment).find((at) => isOther(at) !== isAlternative);
  return { ...ratesAt(settings, moment), isAlternative, until };
}

/** The beginnings and ends of spans within a week from `from`, in their order. */
function momentsAfter(spans: readonly RateSpan[], from: WeekMoment): WeekMoment[] {
  const ends = spans.flatMap(({ begin, end }) => [begin % DAY_MINUTES, end % DAY_MINUTES]);
  const minutes = [...new Set(ends)].toSorted((a, b) => a - b);
  return Array.from({ length: DAYS + 1 }, (_, after) => (from.day + after) % DAYS)
    .flatMap((day) => minutes.map((minute) => ({ day, minute })))
    .filter(({ minute }, index) => index >= minutes.length || minute > from.minute);
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
