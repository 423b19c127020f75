import type { SourcePorts } from "../commands/command-ports.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";
import type { Network } from "./network.ts";

/** The real ports of a command that reads what a user names. */
export function filePorts(
  network?: Pick<Network, "makeFetch" | "networks">,
): SourcePorts & { readonly clock: NodeClock } {
  return {
    clock: new NodeClock(),
    files: new NodeUserFiles(),
    // Most torrents are files, so commands load HTTP only when they need it.
    async openFetch() {
      const { openFetch } = await import("./open-fetch.ts");
      return openFetch(network);
    },
  };
}
