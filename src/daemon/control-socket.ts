import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { type ControlServer, openControlServer } from "../platform/control-server.ts";
import { PlatformError } from "../platform/platform-error.ts";
import type { Log } from "../ports/log.ts";

/**
 * Opens the control socket of a node.
 *
 * @throws {CommandError} (rejects) `data-in-use`, naming the process that has it; `exists` when something else stands in
 *   its place; `not-allowed`; `bad-plan` for a path that is too long.
 */
export async function openControlSocket(path: string): Promise<ControlServer> {
  try {
    return await openControlServer(path);
  } catch (error) {
    throw socketTrouble(error, path);
  }
}

/** The same for a hub, which goes on without a socket: people reach it by its web site as well. */
export async function tryControlSocket(path: string, log: Log): Promise<ControlServer | undefined> {
  try {
    return await openControlSocket(path);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    log.warn("there is no control socket", { why: error.detail, remedy: error.hint });
    return undefined;
  }
}

function socketTrouble(error: unknown, path: string): unknown {
  if (!(error instanceof PlatformError)) {
    return diskTrouble(error, `write to ${path}`, path);
  }
  const more = { subject: path, cause: error };
  const sentence = `The control socket cannot be opened: ${error.message}.`;
  switch (error.code) {
    case "locked":
      return new CommandError("data-in-use", `Another node is running: ${error.message}.`, {
        ...more,
        hint: "everseed daemon status shows it; EVERSEED_HOME gives a second node a place of its own.",
      });
    case "place-taken":
      return new CommandError("exists", sentence, {
        ...more,
        hint: "stop that program or move that file away; EVERSEED_HOME chooses another place.",
      });
    case "path-too-long":
      return new CommandError("bad-plan", sentence, {
        ...more,
        hint: "a shorter path with EVERSEED_HOME or XDG_RUNTIME_DIR.",
      });
    case "open-to-others":
      return new CommandError("not-allowed", sentence, {
        ...more,
        hint: "give the folder to the user who runs the node, and close it: chmod 700.",
      });
    default:
      return error;
  }
}
