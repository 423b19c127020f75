import type { ResumeState } from "../session-contract.ts";

/** The questions that the files of a torrent ask its download. They change nothing there. */
export interface DownloadView {
  /** We have everything that is wanted. */
  readonly complete: boolean;
  wantsFile(index: number): boolean;
  /** What a resume may claim of unfinished pieces. */
  partial(): ResumeState["partial"];
}
