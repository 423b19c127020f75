import { joinPath } from "../base/paths.ts";

/** The configuration file's name: of a node, and in the data folder of a hub. */
export const CONFIG_FILE_NAME = "everseed.yaml";

/** The name of our folders where the XDG base directory specification, or the system, puts those of programs. */
const NAME = "everseed";

/** Where a node has its files. All paths are absolute. */
export interface Places {
  /** The configuration file, which need not exist. */
  readonly configFile: string;
  /** What outlives a restart: database, keys, log. The key `dataDir` chooses another. */
  readonly stateDir: string;
  /** The folder of the control socket. The system may empty it when the machine starts. */
  readonly runtimeDir: string;
}

export interface PlacesAsked {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home folder, absolute. */
  readonly home: string;
  /** The current folder, absolute: `EVERSEED_HOME` may be relative. */
  readonly here: string;
  /** The node of the system, not that of the user. */
  readonly isSystem: boolean;
}

/**
 * Chooses the places of a node: all below `EVERSEED_HOME` when it is set, otherwise those of the system's service or
 * those of the user's XDG folders. Touches no disk.
 */
export function placesOf({ env, home, here, isSystem }: PlacesAsked): Places {
  const asked = env["EVERSEED_HOME"];
  if (asked) {
    const whole = asked.startsWith("/") ? asked : joinPath(here, asked);
    return places({
      config: whole,
      state: joinPath(whole, "state"),
      runtime: joinPath(whole, "run"),
    });
  }
  if (isSystem) {
    return places({ config: `/etc/${NAME}`, state: `/var/lib/${NAME}`, runtime: `/run/${NAME}` });
  }
  const config = xdg(env["XDG_CONFIG_HOME"]) ?? joinPath(home, ".config");
  const state = joinPath(xdg(env["XDG_STATE_HOME"]) ?? joinPath(home, ".local", "state"), NAME);
  const runtime = xdg(env["XDG_RUNTIME_DIR"]);
  return places({
    config: joinPath(config, NAME),
    state,
    // Without a session of the system (cron, su) nobody has such a folder.
    runtime: runtime === undefined ? runtimeIn(state) : joinPath(runtime, NAME),
  });
}

/** The runtime folder of who has no other, and that of a hub. */
export function runtimeIn(stateDir: string): string {
  return joinPath(stateDir, "run");
}

/** The socket by which the owner asks and tells a node or a hub. */
export function controlSocketIn(runtimeDir: string): string {
  return joinPath(runtimeDir, "control.sock");
}

function places(folders: { config: string; state: string; runtime: string }): Places {
  return {
    configFile: joinPath(folders.config, CONFIG_FILE_NAME),
    stateDir: folders.state,
    runtimeDir: folders.runtime,
  };
}

/** The specification has programs ignore a relative path. */
function xdg(path: string | undefined): string | undefined {
  return path?.startsWith("/") ? path : undefined;
}
