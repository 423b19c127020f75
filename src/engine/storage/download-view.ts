import type { ResumeState } from "../session-contract.ts";

/** What the files of a torrent ask of its download. Only asked, never told. */
export interface DownloadView {
  /** Everything that is wanted is had. */
  readonly complete: boolean;
  wantsFile(index: number): boolean;
  /** What a resume may claim of unfinished pieces. */
  partial(): ResumeState["partial"];
}
