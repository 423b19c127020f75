import { torrentApiPath, torrentRestorePath } from "../api/paths.ts";
import { type Removal, removalSchema, torrentDetailSchema } from "../api/torrents.ts";
import type { HubPorts } from "./command-ports.ts";
import { HubClient } from "./hub-client.ts";
import { torrentAtHub } from "./hub-torrent.ts";

export interface UnpublishOptions {
  /** The address of a torrent on a hub: its page, its .torrent file or its place in the API. */
  readonly url: string;
  readonly token: string;
  readonly signal: AbortSignal;
}

/**
 * Unpublishes a torrent on its hub.
 *
 * @throws {CommandError} `bad-plan` for an address of no torrent, or the hub's refusal.
 */
export async function unpublish(
  { calls }: Pick<HubPorts, "calls">,
  options: UnpublishOptions,
): Promise<Removal> {
  const { id, base } = torrentAtHub(options.url);
  const hub = new HubClient(calls, { ...options, base });
  return hub.change("DELETE", torrentApiPath(id), removalSchema);
}

/** Restores an unpublished torrent. @throws {CommandError} As `unpublish`. */
export async function undoUnpublish(
  { calls }: Pick<HubPorts, "calls">,
  options: UnpublishOptions,
): Promise<{ readonly id: string; readonly name: string; readonly pageUrl: string }> {
  const { id, base } = torrentAtHub(options.url);
  const hub = new HubClient(calls, { ...options, base });
  const { name, pageUrl } = await hub.change("POST", torrentRestorePath(id), torrentDetailSchema);
  return { id, name, pageUrl };
}
