import type { NodeStatus } from "../api/node.ts";
import type { Clock } from "../ports/clock.ts";
import type { GivenTorrent } from "../transfers/transfer-adding.ts";
import type { Transfers } from "../transfers/transfers.ts";

/** What the control API shows and calls; `daemon/` composes it. */
export interface ControlParts {
  /** The program as it is now. */
  readonly node: () => NodeStatus;
  /** Absent where a node keeps no transfers. */
  readonly transfers?: TransferParts | undefined;
}

export interface TransferParts {
  readonly service: Transfers;
  /** Fetches what a URL names. @throws (rejects) In words for people. */
  readonly openUrl: (url: string) => Promise<GivenTorrent>;
  readonly clock: Clock;
}
