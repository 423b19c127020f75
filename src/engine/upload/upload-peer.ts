import { RateMeter } from "../sharing/rate-meter.ts";
import { FastGrants } from "./fast-grants.ts";
import { UploadQueue } from "./upload-queue.ts";

/** The part of a connection that serving needs. */
export interface UploadLink {
  readonly isOpen: boolean;
  /** Both sides speak BEP 6. */
  readonly fast: boolean;
  readonly amChoking: boolean;
  readonly out: UploadOutlet;
  /** Only with the fast extension; without it there is no such answer. */
  sendReject(piece: number, begin: number, length: number): void;
  /** The peer requested something that does not exist or that we lack; too many such requests close it (WIR-5). */
  countBadRequest(): void;
  close(reason: string): void;
}

/** Takes what is sent to the peer. */
export interface UploadOutlet {
  /** Bytes gathered or written that have not left yet. */
  readonly bufferedBytes: number;
  /** Bytes that the operating system took in the last second. */
  takenLately(now: number): number;
  allowedFast(piece: number): void;
  frame(bytes: Uint8Array): void;
  /** @param onLeft - Called when the memory of the messages is free. */
  blocks(messages: Uint8Array, onLeft: () => void): void;
}

/** What the uploader knows of one peer. Only files of this folder write to it. */
export class UploadPeer {
  readonly link: UploadLink;
  readonly queue: UploadQueue;
  /** Pieces it may ask us for while we choke it (BEP 6). */
  readonly grants = new FastGrants();
  readonly rate = new RateMeter();
  /** Bytes of blocks since it joined. */
  uploaded = 0;
  /** Bytes that are being read from disk for the peer. */
  readingBytes = 0;
  chokedAtMs = 0;
  /** Blocks that it requested wait for our rate limit or memory. */
  isHeldBack = false;
  /** It is listed to be served when the burst is over. */
  isToServe = false;

  /** @param queueMax - Requests it may have open; what we advertise as `reqq`. */
  constructor(link: UploadLink, queueMax: number) {
    this.link = link;
    this.queue = new UploadQueue(queueMax);
  }

  get isOpen(): boolean {
    return this.link.isOpen;
  }

  /** Bytes read or written for it that it has not taken yet. */
  get owedBytes(): number {
    return this.readingBytes + this.link.out.bufferedBytes;
  }
}
