/** A torrent that waits to open a root. */
interface Waiter {
  readonly root: string;
  readonly onFree: () => void;
}

/**
 * The roots that closing torrents still hold. A removed torrent continues to write until it has closed; files of the
 * same root, or of one above or below it, must not be opened meanwhile.
 *
 * Live torrents may share a root, for example a folder of downloads. `claim` decides which files each may write to.
 */
export class RootLeases {
  readonly #closing = new Set<{ readonly root: string }>();
  readonly #waiting = new Set<Waiter>();

  /** A torrent begins to close. @returns A function to call when it has closed. */
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
   * Waits until no closing torrent holds the root.
   *
   * @param onFree - Never called within this call.
   * @returns A function that ends the wait, and does nothing afterwards; `undefined` when the root is free already.
   */
  waitFor(root: string, onFree: () => void): (() => void) | undefined {
    const waiter = { root: withSlash(root), onFree };
    if (!this.#isTaken(waiter.root)) return undefined;
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

/** With this, `/a` is above `/a/b` and not above `/ab`. */
function withSlash(root: string): string {
  return root.endsWith("/") ? root : `${root}/`;
}
