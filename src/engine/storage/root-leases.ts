/** Somebody who wants to open a root. */
interface Waiter {
  readonly root: string;
  readonly onFree: () => void;
}

/**
 * Which roots are still in the hands of torrents that close. A torrent that is removed goes on writing until it has
 * closed; files of the same root, or of one above or below it, must not be opened meanwhile.
 *
 * Torrents that live may share a root: a folder of downloads. What each of them may write to is a matter of `claim`.
 */
export class RootLeases {
  readonly #closing = new Set<{ readonly root: string }>();
  readonly #waiting = new Set<Waiter>();

  /** A torrent begins to close. @returns To be called when it has closed. */
  close(root: string): () => void {
    const lease = { root: withSlash(root) };
    this.#closing.add(lease);
    return () => {
      this.#closing.delete(lease);
      for (const waiter of this.#waiting) {
        if (this.#isTaken(waiter.root)) continue;
        this.#waiting.delete(waiter);
        waiter.onFree();
      }
    };
  }

  /**
   * Calls when no torrent that closes has the root: at once, within this call, when none has.
   *
   * @returns Ends the waiting; harmless afterwards.
   */
  whenFree(root: string, onFree: () => void): () => void {
    const waiter = { root: withSlash(root), onFree };
    if (!this.#isTaken(waiter.root)) {
      onFree();
      return () => undefined;
    }
    this.#waiting.add(waiter);
    return () => void this.#waiting.delete(waiter);
  }

  #isTaken(wanted: string): boolean {
    for (const { root } of this.#closing) {
      if (root.startsWith(wanted) || wanted.startsWith(root)) return true;
    }
    return false;
  }
}

/** So that `/a` is above `/a/b` and not above `/ab`. */
function withSlash(root: string): string {
  return root.endsWith("/") ? root : `${root}/`;
}
