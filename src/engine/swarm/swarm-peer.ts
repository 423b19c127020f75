import type { SourceKind } from "../session-contract.ts";
import { ReadClock } from "./read-clock.ts";

/** The swarm's record of one peer. Only files of this folder write to it. */
export class SwarmPeer {
  /** When we dialled it, or when it found its torrent. */
  readonly begunAtMs: number;
  /** The kind of source that named its address. */
  readonly source: SourceKind;
  /** When its handshake was complete; 0 until then. */
  connectedAtMs = 0;
  lastFlushedAtMs = 0;
  /** The torrent was told that its address does not answer. */
  isUnreachedTold = false;
  /** Whether it reads what we send. */
  readonly reading: ReadClock;
  /** Where it says it listens; `undefined` until it does. */
  listenPort: number | undefined;
  /** It wants nothing more (BEP 21). */
  uploadOnly = false;
  /** It says that it prefers encrypted streams (BEP 10). */
  prefersEncryption = false;
  /** The name it gives itself. From outside: escape it where it is shown. */
  clientWords: string | undefined;

  constructor(begunAtMs: number, source: SourceKind) {
    this.begunAtMs = begunAtMs;
    this.source = source;
    this.reading = new ReadClock(begunAtMs);
  }
}

/** What a peer announces in the extension protocol (BEP 10, BEP 21); values it omits stay. */
export interface PeerWords {
  readonly uploadOnly?: boolean | undefined;
  readonly listenPort?: number | undefined;
  readonly client?: string | undefined;
  readonly prefersEncryption?: boolean | undefined;
}
