import type { HeldMapping } from "./mapper-state.ts";

/** Lifetimes that routers may claim: what is shorter would have us ask without end, what is longer means nothing. */
const LIFETIME_SECONDS_MIN = 60;
const LIFETIME_SECONDS_MAX = 86_400;

/** A mapping with the times that matter to us. */
export interface Held extends HeldMapping {
  readonly renewAtMs: number;
  /** When it counts as gone, if its router falls silent. */
  readonly forgetAtMs: number;
}

/** A mapping is renewed when half of its time is over; one without an end too, because a router may forget it. */
export function spanOf(
  { lifetimeSeconds }: { readonly lifetimeSeconds: number | undefined },
  now: number,
): Pick<Held, "renewAtMs" | "endsAtMs" | "forgetAtMs"> {
  const claimed = lifetimeSeconds ?? LIFETIME_SECONDS_MAX;
  const seconds = Math.min(Math.max(claimed, LIFETIME_SECONDS_MIN), LIFETIME_SECONDS_MAX);
  const forgetAtMs = now + seconds * 1_000;
  const endsAtMs = lifetimeSeconds === undefined ? undefined : forgetAtMs;
  return { renewAtMs: now + seconds * 500, endsAtMs, forgetAtMs };
}
