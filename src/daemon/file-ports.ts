import type { SourcePorts } from "../commands/command-ports.ts";
import { NodeClock } from "../platform/node-clock.ts";
import { NodeUserFiles } from "../platform/node-user-files.ts";

/** The world of a command that reads what a person names. */
export function filePorts(): SourcePorts & { readonly clock: NodeClock } {
  return {
    clock: new NodeClock(),
    files: new NodeUserFiles(),
    // Most torrents are files: the start of their commands need not wait for all of HTTP.
    async openFetch() {
      const { openFetch } = await import("./open-fetch.ts");
      return openFetch();
    },
  };
}
