import type { NodeStatus } from "../api/node.ts";

/** What the control API shows and calls; `daemon/` composes it. */
export interface ControlParts {
  /** The program as it is now. */
  readonly node: () => NodeStatus;
}
