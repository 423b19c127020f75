import type { FormProblem } from "./form-problem.ts";
import type {
  TransferFilesView,
  TransferList,
  TransferLogView,
  TransferPeersView,
  TransferSettingsView,
  TransferStatus,
  TransferTrackersView,
  TransferView,
} from "./transfers.ts";

/** Transfers that the list holds before its script has asked for all of them; more without scripts by `?after=`. */
export const TRANSFERS_SHOWN_FIRST = 50;

/**
 * `GET /transfers`, `?show=&after=`; `?add=` fills the form for a new one. Plain POSTs: `/transfers/add` (source, folder,
 * stopped), `/transfers/ID/start`, `/transfers/ID/stop`, `/transfers/ID/remove`.
 */
export interface TransfersPage {
  readonly kind: "transfers";
  readonly list: TransferList;
  /** Those of the list; `all` of them otherwise. */
  readonly show: TransfersShown;
  readonly settings: TransferSettingsView;
  readonly status: TransferStatus;
  /** What the field of the form for a new one holds. */
  readonly source: string;
  /** Why that form came back. */
  readonly problem: FormProblem | null;
}

/** The choices of the list that need no script. */
export type TransfersShown = "all" | "finished" | "unfinished" | "stopped" | "failed";

/** Files that the page holds before its script has asked for all of them. */
export const TRANSFER_FILES_FIRST = 1_000;

export const TRANSFER_TABS = ["overview", "files", "peers", "trackers", "log"] as const;
export type TransferTab = (typeof TRANSFER_TABS)[number];

/** `GET /transfers/ID`, `/transfers/ID/files` and so on. Plain POSTs as above. */
export interface TransferPage {
  readonly kind: "transfer";
  readonly tab: TransferTab;
  readonly transfer: TransferView;
  /** The first `TRANSFER_FILES_FIRST`, at the tab of files; none otherwise. */
  readonly files: TransferFilesView["files"];
  readonly peers: TransferPeersView["peers"];
  readonly trackers: TransferTrackersView;
  /** At its tab; none otherwise. */
  readonly log: TransferLogView["lines"];
  readonly status: TransferStatus;
}
