import type { BurstMember, Bursts } from "../sharing/bursts.ts";
import type { TorrentTurns } from "../sharing/scheduler.ts";
import type { Transfer } from "./transfer.ts";

/** A torrent, as far as its turns are concerned. */
export interface TorrentInTurn extends BurstMember {
  /** `undefined` unless its files are open. */
  readonly transfer: Transfer | undefined;
}

/** @returns What a torrent does in its turn at a scarce resource; the consequences are sent in the same burst. */
export function turnsOf(torrent: TorrentInTurn, bursts: Bursts): TorrentTurns {
  const turn =
    (use: (transfer: Transfer, now: number) => boolean) =>
    (now: number): boolean => {
      const { transfer } = torrent;
      const wantsMore = transfer ? use(transfer, now) : false;
      bursts.settle(torrent);
      return wantsMore;
    };
  return {
    down: turn(({ download }, now) => download.handleAllowance(now)),
    up: turn(({ upload }, now) => upload.serveWaiting("rate", now)),
    receive: turn(({ download }) => download.handleMemory()),
    send: turn((transfer, now) => transfer.serveWaitingForMemory(now)),
  };
}
