import type { SourcePorts, UploadPorts } from "../commands/command-ports.ts";
import { NodeHttpCalls } from "../platform/node-http-calls.ts";
import { filePorts } from "./file-ports.ts";

/** The real ports of a command that calls a hub. */
export function hubPorts(): UploadPorts & SourcePorts {
  return {
    ...filePorts(),
    calls: new NodeHttpCalls(),
    uploads: {
      async upload(request) {
        const { TusUploads } = await import("../platform/tus-uploads.ts");
        return new TusUploads().upload(request);
      },
    },
  };
}
