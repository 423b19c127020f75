import type { TransportKind } from "../base/peer-address.ts";
import type { PeerStatus, SourceKind } from "../engine/session-contract.ts";
import type { StreamEncryption } from "../engine/stream-decorator.ts";

/** Peers whose streams go over the line in the same way. */
export interface StreamCount {
  readonly transport: TransportKind;
  readonly encryption: StreamEncryption | "none";
  readonly peers: number;
}

/** Peers whose addresses came from the same kind of source. */
export interface SourceCount {
  readonly source: SourceKind;
  readonly peers: number;
}

/** What the connected peers are connected over, and how they were found. */
export interface Connected {
  readonly streams: readonly StreamCount[];
  readonly sources: readonly SourceCount[];
}

/** Tells how peers are connected and how they were found, when that has changed. */
export class StreamNews {
  #told = "";

  /** @returns `undefined` while nothing has changed. */
  next(
    peers: Iterable<Pick<PeerStatus, "remote" | "encryption" | "source">>,
  ): Connected | undefined {
    const streams = new Map<string, StreamCount>();
    const sources = new Map<SourceKind, SourceCount>();
    for (const { remote, encryption = "none", source } of peers) {
      const key = `${remote.kind} ${encryption}`;
      const same = streams.get(key)?.peers ?? 0;
      streams.set(key, { transport: remote.kind, encryption, peers: same + 1 });
      sources.set(source, { source, peers: (sources.get(source)?.peers ?? 0) + 1 });
    }
    const connected = { streams: inOrder(streams), sources: inOrder(sources) };
    const words = JSON.stringify(connected);
    if (words === this.#told || (streams.size === 0 && this.#told === "")) return undefined;
    this.#told = words;
    return connected;
  }
}

/** By their keys, so that the same counts are the same words. */
function inOrder<Count>(counts: ReadonlyMap<string, Count>): Count[] {
  return [...counts.keys()].sort().map((key) => counts.get(key)!);
}
