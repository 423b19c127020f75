import type { TransportKind } from "../base/peer-address.ts";
import type { PeerStatus } from "../engine/session-contract.ts";
import type { StreamEncryption } from "../engine/stream-decorator.ts";

/** Peers whose streams go over the line in the same way. */
export interface StreamCount {
  readonly transport: TransportKind;
  readonly encryption: StreamEncryption | "none";
  readonly peers: number;
}

/** Tells how the streams of the peers go over the line, when that has changed. */
export class StreamNews {
  #told = "";

  /** @returns `undefined` while nothing has changed. */
  next(peers: readonly Pick<PeerStatus, "remote" | "encryption">[]): StreamCount[] | undefined {
    const counts = new Map<string, StreamCount>();
    for (const { remote, encryption = "none" } of peers) {
      const key = `${remote.kind} ${encryption}`;
      const known = counts.get(key)?.peers ?? 0;
      counts.set(key, { transport: remote.kind, encryption, peers: known + 1 });
    }
    const keys = [...counts.keys()].sort();
    const streams = keys.map((key) => counts.get(key)!);
    const words = JSON.stringify(streams);
    if (words === this.#told || (streams.length === 0 && this.#told === "")) return undefined;
    this.#told = words;
    return streams;
  }
}
