import type { PeerAddress } from "../base/peer-address.ts";
import type { Clock } from "../ports/clock.ts";
import type { NetFailure, StreamConnection, StreamHandler } from "../ports/net.ts";

/**
 * Refuses to dial: nothing is sent.
 *
 * @returns A connection whose handler is told when the current event is over.
 */
export function refuse(
  clock: Pick<Clock, "startTimer">,
  remote: PeerAddress,
  handler: StreamHandler,
  failure: NetFailure,
): StreamConnection {
  const timer = clock.startTimer(0, () => handler.handleClose(failure));
  return {
    remote,
    local: undefined,
    bufferedBytes: 0,
    unackedBytes: () => undefined,
    write: () => undefined,
    pauseReading: () => undefined,
    resumeReading: () => undefined,
    destroy: () => timer.cancel(),
  };
}
