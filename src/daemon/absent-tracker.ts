import type { SleepingMarks } from "../mse/sleeping-marks.ts";
import type { HubDht } from "./hub-dht.ts";
import type { HubTracker } from "./hub-tracker.ts";

/** In the place of the tracker where `services.tracker` is off: what is published is found through the DHT alone. */
export function absentTracker(parts: {
  readonly sleeping: SleepingMarks;
  readonly dht: Pick<HubDht, "handlePublished" | "handleRemoved" | "setWhole">;
}): HubTracker {
  const { sleeping, dht } = parts;
  return {
    udpPort: 0,
    totals: () => ({ swarms: 0, peers: 0 }),
    namedUdp: undefined,
    register: (infohashes) => {
      sleeping.add(infohashes);
      dht.handlePublished(infohashes);
    },
    unregister: (infohashes) => {
      sleeping.delete(infohashes);
      dht.handleRemoved(infohashes);
    },
    setFetched: () => undefined,
    setWhole: (infohashes, isWhole) => dht.setWhole(infohashes, isWhole),
    count: () => ({ seeds: 0, leechers: 0, completed: 0 }),
    handle: () => undefined,
    close: async () => undefined,
  };
}
