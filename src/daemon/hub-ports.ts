import type { SourcePorts, UploadPorts } from "../commands/command-ports.ts";
import type { KeyPorts } from "../commands/dht-key-file.ts";
import { NodeHttpCalls } from "../platform/node-http-calls.ts";
import { NodeRandom } from "../platform/node-random.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import { filePorts } from "./file-ports.ts";

/** The real ports of a command that calls a hub. */
export function hubPorts(): UploadPorts & SourcePorts & KeyPorts {
  return {
    ...filePorts(),
    random: new NodeRandom(),
    signatures: new NodeSignatures(),
    calls: new NodeHttpCalls(),
    uploads: {
      async upload(request) {
        const { TusUploads } = await import("../platform/tus-uploads.ts");
        return new TusUploads().upload(request);
      },
    },
  };
}
