/** How soon a wanted file is fetched. */
export type FetchPriority = "low" | "normal" | "high";

/** In which order the wanted files of a torrent are fetched. What readers need comes before all of it. */
export interface FetchOrder {
  /** By index; files that are not named are `normal`. */
  readonly files?: Readonly<Record<number, FetchPriority>> | undefined;
  /** From the beginning to the end, each priority for itself; default: the rarest pieces first. */
  readonly sequential?: boolean | undefined;
  /** The beginning and the end of each file before the rest of it: players look there for what it holds. */
  readonly firstAndLast?: boolean | undefined;
}
