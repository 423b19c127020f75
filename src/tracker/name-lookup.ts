import { addressBytes } from "../base/endpoint.ts";
import type { Clock } from "../ports/clock.ts";

/**
 * Dynamic names change when a router gets a new address; this is about the lifetime of their
 * records.
 */
const KEPT_MS = 5 * 60_000;

/**
 * Finds the addresses that lead to this machine from outside, by the name its owner gives.
 *
 * @param names.publicAddress - Of the engine; takes precedence over the host name of `publicUrl`.
 * @returns As `nameLookup`; always none when the owner gives no name.
 */
export function outsideAddresses(
  names: { readonly publicAddress: string | undefined; readonly publicUrl: string | undefined },
  clock: Pick<Clock, "nowMs">,
  lookUp: (host: string) => Promise<readonly string[]>,
): () => readonly Uint8Array[] {
  const { publicAddress, publicUrl } = names;
  const name = publicAddress ?? (publicUrl && new URL(publicUrl).hostname);
  return name === undefined ? () => [] : nameLookup(name, clock, lookUp);
}

/**
 * Resolves a host name for callers that cannot wait: returns the addresses of the last answer, or
 * none before the first. It looks nothing up before the first call.
 *
 * @param host - A name or an address.
 * @param lookUp - Rejects when the name does not resolve; the known addresses then stay.
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
        // The name may be new, or its server may be down for a while; the next call after `KEPT_MS`
        // asks again.
        () => undefined,
      );
    }
    return known;
  };
}
