import { torrentApiPath, torrentRestorePath } from "../api/paths.ts";
import { type Removal, removalSchema, torrentDetailSchema } from "../api/torrents.ts";
import { CommandError } from "./command-error.ts";
import type { HubPorts } from "./command-ports.ts";
import { HubClient } from "./hub-client.ts";

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
  const { id, base } = atHub(options);
  const hub = new HubClient(calls, { ...options, base });
  return hub.change("DELETE", torrentApiPath(id), removalSchema);
}

/** Restores an unpublished torrent. @throws {CommandError} As `unpublish`. */
export async function undoUnpublish(
  { calls }: Pick<HubPorts, "calls">,
  options: UnpublishOptions,
): Promise<{ readonly id: string; readonly name: string; readonly pageUrl: string }> {
  const { id, base } = atHub(options);
  const hub = new HubClient(calls, { ...options, base });
  const { name, pageUrl } = await hub.change("POST", torrentRestorePath(id), torrentDetailSchema);
  return { id, name, pageUrl };
}

function atHub({ url }: UnpublishOptions): { id: string; base: string } {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  const id = /^\/(?:t|api\/v1\/torrents)\/([0-9a-z]{1,32})(?:\.torrent|\/.*)?$/.exec(path)?.[1];
  if (id === undefined || !/^https?:/i.test(url)) {
    throw new CommandError("bad-plan", `${url} is not the address of a torrent on a hub.`, {
      subject: url,
      hint: "the address of its page, as everseed publish prints it: https://hub.example/t/ID/NAME.",
    });
  }
  return { id, base: new URL(url).origin };
}
