import type { RequestContext } from "../hub/request-gate.ts";
import type { SwarmRegistry } from "../publish/swarm-registry.ts";

/** The hub's own tracker, as its other parts see it. */
export interface HubTracker extends SwarmRegistry {
  /** As bound. */
  readonly udpPort: number;
  /** Answers `/announce` and `/scrape` on the web port. */
  handle(request: Request, context: RequestContext): Response | Promise<Response>;
  close(): Promise<void>;
}

/** The room `tracker/` is not there yet: swarms hold the everseed alone, and announces are refused. */
export async function openHubTracker(..._parts: readonly unknown[]): Promise<HubTracker> {
  return {
    udpPort: 0,
    register: () => undefined,
    count: () => ({ seeds: 1, leechers: 0, completed: 0 }),
    handle: () => new Response("d14:failure reason17:no tracker so fare"),
    close: async () => undefined,
  };
}
