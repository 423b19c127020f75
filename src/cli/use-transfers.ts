import type { TransferClient } from "../commands/transfer-client.ts";
import type { TransferFeed } from "../commands/transfer-feed.ts";
import type { MediaDoor } from "../daemon/media-door.ts";
import type { CommandRun } from "./command-frame.ts";
import type { SystemFlags } from "./system-option.ts";

/** Serves files of the node on this machine to players. */
export async function useMediaDoor({ system = false }: SystemFlags): Promise<MediaDoor> {
  const { nodePlaces } = await import("../daemon/node-config.ts");
  const { controlSocketIn } = await import("../config/places.ts");
  const { MediaDoor } = await import("../daemon/media-door.ts");
  const door = new MediaDoor(controlSocketIn(nodePlaces(system).runtimeDir));
  await door.open();
  return door;
}

/** Connects to the node on this machine. */
export async function useTransfers(
  { signal }: Pick<CommandRun, "signal">,
  { system = false }: SystemFlags,
): Promise<TransferClient> {
  const { nodePlaces } = await import("../daemon/node-config.ts");
  const { controlClient } = await import("../daemon/background-node.ts");
  const { controlSocketIn } = await import("../config/places.ts");
  const { filePorts } = await import("../daemon/file-ports.ts");
  const { TransferClient } = await import("../commands/transfer-client.ts");
  const socket = controlSocketIn(nodePlaces(system).runtimeDir);
  return new TransferClient(controlClient(socket, signal), filePorts().files);
}

/** Follows the transfers of the node on this machine. @param label - Those with this label only. */
export async function useTransferFeed(
  { signal }: Pick<CommandRun, "signal">,
  { system = false, label }: SystemFlags & { readonly label?: string | undefined },
): Promise<TransferFeed> {
  const { nodePlaces } = await import("../daemon/node-config.ts");
  const { controlClient } = await import("../daemon/background-node.ts");
  const { controlSocketIn } = await import("../config/places.ts");
  const { filePorts } = await import("../daemon/file-ports.ts");
  const { TransferClient } = await import("../commands/transfer-client.ts");
  const { TransferFeed } = await import("../commands/transfer-feed.ts");
  const { clock, files } = filePorts();
  const node = controlClient(controlSocketIn(nodePlaces(system).runtimeDir), signal);
  return new TransferFeed(node, new TransferClient(node, files), { clock, label });
}
