import { addressKey, networkKey, type PeerAddress } from "../base/peer-address.ts";
import type { StreamDecorators } from "../engine/stream-decorator.ts";
import type { Clock } from "../ports/clock.ts";
import type { KeyExchange } from "../ports/key-exchange.ts";
import type { Random } from "../ports/random.ts";
import { Dialler } from "./dialler.ts";
import type { EncryptionMode } from "../base/encryption-mode.ts";
import { ExchangeTurns } from "./exchange-turns.ts";
import { KnownWays } from "./known-ways.ts";
import { Listener } from "./listener.ts";
import { type NegotiationParts, PLAIN, RC4 } from "./negotiation.ts";
import type { SleepingMarks } from "./sleeping-marks.ts";
import { TorrentMarks } from "./torrent-marks.ts";

export interface StreamEncryptionOptions {
  readonly mode: EncryptionMode;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyExchange: KeyExchange;
  /** Torrents that are not in the engine. */
  readonly sleeping?: SleepingMarks | undefined;
}

/** Message stream encryption for the streams of one session. */
export function streamEncryption(options: StreamEncryptionOptions): StreamDecorators {
  const { mode, clock, random, keyExchange, sleeping } = options;
  if (mode === "off") return {};
  const parts: NegotiationParts = {
    exchange: keyExchange,
    random,
    turns: new ExchangeTurns(clock),
  };
  const methods = mode === "require" ? RC4 : PLAIN | RC4;
  const ways = mode === "require" ? undefined : new KnownWays();
  const marks = new TorrentMarks();
  return {
    outgoing: ({ remote, infohash }) => {
      if (ways?.next(remote) === "plain") return undefined;
      const onReady = (): void => ways?.handleEncrypted(remote);
      return new Dialler({ parts, network: networkOf(remote), infohash, methods, onReady });
    },
    incoming: ({ remote }) =>
      new Listener({
        parts,
        network: networkOf(remote),
        methods,
        allowsPlainStart: mode === "prefer",
        findByMark: (mark) => marks.find(mark) ?? sleeping?.find(mark),
      }),
    isWorthAnotherTry: (remote) => ways?.handleFailed(remote) === true,
    handleInfohash: (infohash, isHere) => {
      if (isHere) marks.add(infohash);
      else marks.delete(infohash);
    },
  };
}

function networkOf(remote: PeerAddress): string {
  return networkKey(remote) ?? addressKey(remote);
}
