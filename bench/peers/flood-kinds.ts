/** A way to flood a download. */
export interface FloodKindFacts {
  /** The thing that is counted. */
  readonly unit: string;
  /** Of the honest seed and the honest download. */
  readonly flags: readonly string[];
}

const TCP = ["--transport", "tcp"];
const PLAIN = ["--encryption", "off"];

export type FloodKind =
  | "dht-get-peers"
  | "dht-ping"
  | "dht-announce"
  | "dht-replies"
  | "utp-calls"
  | "utp-junk"
  | "utp-calls-beside-utp"
  | "lsd"
  | "pex"
  | "mse";

/** Each goes to the port of the download, `lsd` to the group of neighbours. */
export const FLOOD_KINDS: Readonly<Record<FloodKind, FloodKindFacts>> = {
  /** DHT-1: questions with long answers, and short ones. */
  "dht-get-peers": { unit: "packets", flags: [...PLAIN, ...TCP] },
  "dht-ping": { unit: "packets", flags: [...PLAIN, ...TCP] },
  /** DHT-2: announces with somebody's token. */
  "dht-announce": { unit: "packets", flags: [...PLAIN, ...TCP] },
  /** DHT-3: answers that nobody asked for. */
  "dht-replies": { unit: "packets", flags: [...PLAIN, ...TCP] },
  /** WIR-21: calls of strangers, and data for no connection. */
  "utp-calls": { unit: "packets", flags: PLAIN },
  "utp-junk": { unit: "packets", flags: PLAIN },
  /** The honest transfer shares the port with the flood. */
  "utp-calls-beside-utp": { unit: "packets", flags: [...PLAIN, "--transport", "utp"] },
  /** WIR-25 */
  lsd: { unit: "packets", flags: [...PLAIN, ...TCP] },
  /** WIR-11: peers that name peers without end, and come again when they are closed. */
  pex: { unit: "messages", flags: [...PLAIN, ...TCP] },
  /** WIR-19: key exchanges of 400 connections, which come again. */
  mse: { unit: "handshakes", flags: TCP },
};
