import type { TorrentState } from "../engine/session-contract.ts";

type BrokenState = Extract<TorrentState, { kind: "broken" }>;

const WHY: Record<BrokenState["cause"], string> = {
  "bad-info": "The peers' metadata is not a valid torrent.",
  contradiction: "This torrent can never be completed.",
};

/** Explains in one or two sentences why a torrent is broken for good. */
export function brokenWords({ cause, message }: BrokenState): string {
  const sentence = message.charAt(0).toUpperCase() + message.slice(1);
  return `${WHY[cause]} ${sentence}.`;
}
