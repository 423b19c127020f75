import { REACH, reachOf } from "./address-reach.ts";

/** True when what listens there is reached from this machine only. */
export function isThisMachineOnly(host: string): boolean {
  if (host === "0.0.0.0" || host === "::") return false;
  return host === "localhost" || reachOf(host) === REACH.machine;
}
