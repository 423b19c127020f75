import { addressBytes } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";

/** Dynamic names change when a router gets a new address; their records live about as long. */
const KEPT_MS = 5 * 60_000;

/**
 * The addresses behind a host name, for those who cannot wait: those of the last answer, none before the first.
 * Nothing is looked up until somebody asks.
 *
 * @param host - A name or an address.
 * @param lookUp - Rejects when the name leads nowhere; what was known then stays.
 */
export function nameLookup(
  host: string,
  clock: Pick<Clock, "nowMs">,
  lookUp: (host: string) => Promise<readonly string[]>,
): () => readonly Uint8Array[] {
  const literal = addressBytes(host.replace(/^\[|\]$/g, ""));
  if (literal) return () => [literal];
  let known: readonly Uint8Array[] = [];
  let askedAtMs = Number.NEGATIVE_INFINITY;
  return () => {
    if (clock.nowMs() - askedAtMs >= KEPT_MS) {
      askedAtMs = clock.nowMs();
      lookUp(host).then(
        (addresses) => (known = addresses.flatMap((address) => addressBytes(address) ?? [])),
        // The name may be new, or its server away for a while: asked again after the time above.
        () => undefined,
      );
    }
    return known;
  };
}
