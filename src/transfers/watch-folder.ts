/** A folder whose .torrent and .magnet files are added. */
export interface WatchFolder {
  /** Absolute. */
  readonly folder: string;
  /** What becomes of a file that was added: it gets the ending `.added`, or is deleted. Default: `rename`. */
  readonly taken?: "rename" | "delete" | undefined;
  readonly label?: string | undefined;
  /** Absolute; receives the content. */
  readonly into?: string | undefined;
  readonly stopped?: boolean | undefined;
}
