import { type HubStatus, hubStatusSchema } from "../api/hub-status.ts";
import { REACH_PATH, STATUS_PATH } from "../api/paths.ts";
import { type Reach, reachSchema } from "../api/reach.ts";
import type { HttpCalls } from "../ports/net.ts";
import { HubClient } from "./hub-client.ts";

/** What a running hub is doing, and how peers find and reach it. */
export interface HubReport {
  readonly status: HubStatus;
  readonly parts: Reach["parts"];
}

/** @throws {CommandError} (rejects) `unreachable`, or the hub's refusal. */
export async function askHubStatus(
  calls: HttpCalls,
  hub: { readonly base: string; readonly token: string; readonly signal: AbortSignal },
): Promise<HubReport> {
  const client = new HubClient(calls, hub);
  const [status, { parts }] = await Promise.all([
    client.ask(STATUS_PATH, hubStatusSchema),
    client.ask(REACH_PATH, reachSchema),
  ]);
  return { status, parts };
}
