import type { PublishInPlacePorts } from "../commands/publish-in-place.ts";
import type { KeyPorts } from "../commands/dht-key-file.ts";
import { closeFolder, giveToOwnerOf } from "../platform/folder-rights.ts";
import { isLocked } from "../platform/lock-file.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import { diskPorts } from "./disk-ports.ts";
import { filePorts } from "./file-ports.ts";

/** The real ports for publishing content in place, on the hub's own machine. */
export function inPlacePorts(): PublishInPlacePorts & KeyPorts {
  return {
    ...filePorts(),
    ...diskPorts(),
    random: new NodeRandom(),
    signatures: new NodeSignatures(),
    hubFolder: { isLocked, closeFolder, giveToOwnerOf },
  };
}
