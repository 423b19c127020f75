import type { NodeStatus, SettingsReload } from "../api/node.ts";
import type { TransferStatus } from "../api/transfers.ts";
import type { Clock } from "../ports/clock.ts";
import type { GivenTorrent } from "../transfers/transfer-adding.ts";
import type { WatchedFolder } from "../transfers/watch-place.ts";
import type { RpcHandler } from "./transmission-route.ts";
import type { Transfers } from "../transfers/transfers.ts";
import type { MediaLinks } from "./media-links.ts";

/** What the control API shows and calls; `daemon/` composes it. */
export interface ControlParts {
  /** The program as it is now. */
  readonly node: () => NodeStatus;
  /** Reads the configuration file again. */
  readonly reload: () => Promise<SettingsReload | SettingsRefusal>;
  /** Absent where a node keeps no transfers. */
  readonly transfers?: TransferParts | undefined;
  /** Absent unless it is turned on. */
  readonly transmission?: RpcHandler | undefined;
}

/** The configuration file cannot be used; what ran before goes on. */
export interface SettingsRefusal {
  /** File, line and allowed values, in words for people. */
  readonly refused: string;
  readonly hint: string;
}

export interface TransferParts {
  readonly service: Transfers;
  /** Fetches what a URL names. @throws (rejects) In words for people. */
  readonly openUrl: (url: string) => Promise<GivenTorrent>;
  /** The disks that hold these folders, each once; folders that are not there are left out. */
  readonly disks: (folders: readonly string[]) => Promise<TransferStatus["disks"]>;
  readonly clock: Clock;
  /** For players; the same on the socket and on the web port. */
  readonly links: MediaLinks;
  /** How the watch folders are doing. */
  readonly watched: () => readonly WatchedFolder[];
}
