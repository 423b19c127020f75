import type { WebSeedLayout } from "./web-seed-layout.ts";

/** Why a line ended. */
export type LineEnd =
  | { readonly kind: "failed"; readonly reason: string }
  | { readonly kind: "nonsense"; readonly reason: string }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "busy"; readonly reason: string; readonly afterMs: number };

/** What a line tells its web seed; the web seed may end it in the call. */
export interface WebLineOwner<Line> {
  readonly url: string;
  readonly layout: WebSeedLayout;
  readonly isWanted: (file: number) => boolean;
  countDownloaded(bytes: number, now: number): void;
  /** The server does not have the file. */
  handleAbsent(file: number, reason: string): void;
  handleIgnoresRanges(): void;
  /** It moved a block: whatever went wrong before is over. */
  handleProgress(): void;
  handleEnded(line: Line, end: LineEnd): void;
}
