import type { DhtNewsEvent } from "../commands/dht-news.ts";
import type { Output } from "./output.ts";

const SILENT =
  "no DHT node answers; they are asked again. Check that this machine may send and receive UDP, or name a node with " +
  "--dht-bootstrap HOST:PORT";

/** Tells a person that no node of the DHT answers, and what to do. */
export function tellDht(output: Output, { answers, isNeeded }: DhtNewsEvent): void {
  output.record({ event: "dht", answers });
  if (answers) output.detail("The DHT answers.");
  else if (isNeeded) output.warn(SILENT);
  else output.detail(`${SILENT}.`);
}
