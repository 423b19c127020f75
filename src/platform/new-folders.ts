import { systemCode } from "../base/system-code.ts";

/**
 * Tracks the folders that hold the name of a new folder until that name is durable: before that, a power cut can take
 * the new folder with everything that was synced below it. A caller that writes below a new folder calls `sync` first,
 * even if another call created the folder.
 */
export class NewFolders {
  readonly #unsynced = new Set<string>();

  /** @param above - The folder in which a folder was just created. */
  madeIn(above: string): void {
    this.#unsynced.add(above);
  }

  /**
   * Makes the names on the way to `path` durable. The next call repeats what fails.
   *
   * @param path - Absolute.
   * @param sync - Makes the names in one folder durable.
   */
  async sync(path: string, sync: (folder: string) => Promise<void>): Promise<void> {
    for (const folder of this.#unsynced) {
      if (path !== folder && !path.startsWith(folder === "/" ? folder : `${folder}/`)) continue;
      try {
        await sync(folder);
      } catch (error) {
        // A folder that cannot be read cannot be synced; one that was removed has nothing to keep.
        const code = systemCode(error);
        if (code !== "EACCES" && code !== "ENOENT") throw error;
      }
      this.#unsynced.delete(folder);
    }
  }
}
