import type { DraftInput } from "../../src/api/drafts.ts";

/** The options of an upload, without its files: needed to find the draft again. */
export type DraftOptions = Omit<DraftInput, "files">;

const prefix = "draft:";

/**
 * Keeps the options of an upload in this browser until it ends. If the browser refuses, an upload can still continue
 * after a reload when its options were the defaults.
 */
export function rememberOptions(draftId: string, options: DraftOptions): void {
  try {
    localStorage.setItem(prefix + draftId, JSON.stringify(options));
  } catch (error) {
    console.debug("the options of this upload are not remembered", error);
  }
}

export function recallOptions(draftId: string): DraftOptions | undefined {
  try {
    const stored = localStorage.getItem(prefix + draftId);
    // Written by `rememberOptions`, on this site only.
    return stored === null ? undefined : (JSON.parse(stored) as DraftOptions);
  } catch (error) {
    console.debug("nothing is remembered of this upload", error);
    return undefined;
  }
}

export function forgetOptions(draftId: string): void {
  try {
    localStorage.removeItem(prefix + draftId);
  } catch (error) {
    console.debug("nothing was remembered", error);
  }
}
