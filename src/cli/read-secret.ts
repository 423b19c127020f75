import type { CommandRun } from "./command-frame.ts";
import { escapeOutside } from "./outside-text.ts";

/** Reads a password or token from its file, and warns when other users can read the file (CLI-2, CLI-3). */
export async function readSecret({ output, signal }: CommandRun, path: string): Promise<string> {
  const { readSecretLine } = await import("../commands/secret-file.ts");
  const { filePorts } = await import("../daemon/file-ports.ts");
  const { secret, openToOthers } = await readSecretLine(filePorts().files, path, signal);
  if (openToOthers) {
    output.warn(`others on this machine can read ${escapeOutside(path)}: chmod 600 stops that`);
  }
  return secret;
}
