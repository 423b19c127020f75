import { BLOCK_BYTES } from "../../base/geometry.ts";
import type { PeerKey } from "../picker/peer-key.ts";
import { RateMeter } from "../sharing/rate-meter.ts";
import type { BlockTarget } from "../storage/piece-store.ts";
import type { BlockSource } from "./block-source.ts";

/** Requests that a peer queues without dropping any; a modest guess until it tells us. */
const QUEUE_LIMIT_START = 250;

/** The downloader's record of one source of blocks. Only files of this folder write to it. */
export class DownloadPeer {
  readonly source: BlockSource;
  /** Its lane in the source's window. */
  readonly lane: number;
  /** Its key in the picker; -1 once it has left. */
  key: PeerKey | -1;
  isChoking = true;
  snubbed = false;
  /** It owes blocks that a reader waits for, and has sent none for a while. */
  isSilent = false;
  /** Blocks that may be outstanding; grows while the peer keeps up. */
  depth = 16;
  slowStart = true;
  /** Mean length of the blocks it sent lately, in bytes. */
  blockBytes = BLOCK_BYTES;
  /** Requests that it queues without dropping any (BEP 10 `reqq`). */
  queueLimit = QUEUE_LIMIT_START;
  /** Pieces that we may request while it chokes us (BEP 6). */
  readonly allowedFast = new Set<number>();
  readonly rate = new RateMeter();
  /** Bytes of blocks since it joined. */
  downloaded = 0;
  lastBlockAtMs: number;
  /** When we sent a request while it owed nothing; -1 once it has answered. */
  askedIdleAtMs = -1;
  /** The shortest time from such a request to its answer, in milliseconds; 0 until one was measured. */
  roundTripMs = 0;
  /** When the block that is arriving, or that arrived last, began to arrive. */
  blockBegunAtMs = 0;
  /** The destination of the block that is arriving; `undefined` when none is. */
  target: BlockTarget | undefined;
  targetPiece = -1;
  targetBlock = -1;

  /** @param onRoom - Called when the window has room that the peer waited for. */
  constructor(
    source: BlockSource,
    key: PeerKey,
    now: number,
    onRoom: (peer: DownloadPeer) => void,
  ) {
    this.source = source;
    this.lane = source.window.join(() => onRoom(this));
    this.key = key;
    this.lastBlockAtMs = now;
  }

  /** Blocks that it owes us. */
  get owed(): number {
    return this.source.window.owed(this.lane);
  }
}
