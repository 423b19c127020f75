import { RateLimit } from "./rate-limit.ts";
import { Scheduler, type TorrentShares } from "./scheduler.ts";

/** The shares of a torrent that is alone in its session. @param onWaiting - Called when it has to wait. */
export function sharesOfOne(options: {
  readonly upBytesPerSecond?: number;
  readonly onWaiting: () => void;
}): TorrentShares {
  const unlimited = { down: new RateLimit(0), up: new RateLimit(0) };
  const scheduler = new Scheduler({
    downLimit: new RateLimit(0),
    upLimit: new RateLimit(options.upBytesPerSecond ?? 0),
    uploadSlots: 8,
    onWaiting: options.onWaiting,
    onRoom: () => undefined,
  });
  const use = (): boolean => false;
  return scheduler.join({ down: use, up: use, receive: use, send: use }, unlimited);
}
