import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { freePort } from "../fixtures/free-port.ts";
import { Running, until } from "./process.ts";

/** Of Transmission's three, by what our tests call them: where both sides leave it open, "allow" is for plain bytes. */
const ENCRYPTIONS = { allow: 0, prefer: 1, require: 2 } as const;

export type TransmissionEncryption = keyof typeof ENCRYPTIONS;

export interface TransmissionOptions {
  readonly folder: string;
  /** Where it listens, and whence it connects: 127.0.0.1 when left out. */
  readonly address?: string;
  readonly encryption?: TransmissionEncryption | undefined;
  /** It listens for uTP too, and calls peers over it first. It cannot do without TCP. */
  readonly utp?: boolean | undefined;
  /** It tells and hears of peers. */
  readonly pex?: boolean;
  /** Its clock runs this many times as fast. */
  readonly hurry?: number;
  readonly kilobytesPerSecond?: number;
}

/** A library that a program is started with, so that its clock runs faster. */
export const fakeClock = {
  library: (): string | undefined =>
    fs.globSync("/usr/lib/*/faketime/libfaketime.so.1").toSorted()[0],
  missing: (): string | undefined =>
    fakeClock.library() === undefined
      ? "faketime is not installed (tools/peers.sh installs it)"
      : undefined,
};

/** A connected peer, as Transmission lists it. */
export interface TransmissionPeer {
  readonly address: string;
  /** Behind the handshake too. */
  readonly isEncrypted: boolean;
  readonly isIncoming: boolean;
}

interface TorrentWords {
  readonly percentDone: number;
  readonly status: number;
  readonly peers: readonly TransmissionPeer[];
}

interface Answer {
  readonly torrents?: readonly TorrentWords[];
  readonly "torrent-added"?: { readonly hashString: string };
}

const SESSION = "x-transmission-session-id";

/** A Transmission daemon with a separate folder, driven by its remote control. */
export class TransmissionDaemon {
  readonly peerPort: number;
  readonly #url: string;
  #session = "";

  private constructor(peerPort: number, rpcPort: number) {
    this.peerPort = peerPort;
    this.#url = `http://127.0.0.1:${rpcPort}/transmission/rpc`;
  }

  static async start(t: TestContext, options: TransmissionOptions): Promise<TransmissionDaemon> {
    const { folder, address = "127.0.0.1", encryption = "allow", utp = false } = options;
    const { pex = false, hurry, kilobytesPerSecond } = options;
    const config = temporaryFolder(t, "transmission-");
    const [peerPort, rpcPort] = [await freePort(), await freePort()];
    const isLimited = kilobytesPerSecond !== undefined;
    fs.writeFileSync(
      path.join(config, "settings.json"),
      JSON.stringify({
        "bind-address-ipv4": address,
        "dht-enabled": false,
        "lpd-enabled": false,
        "pex-enabled": pex,
        "utp-enabled": utp,
        "port-forwarding-enabled": false,
        "download-dir": folder,
        "peer-port": peerPort,
        "rpc-bind-address": "127.0.0.1",
        "rpc-port": rpcPort,
        "rpc-whitelist-enabled": false,
        "rename-partial-files": false,
        "speed-limit-down": kilobytesPerSecond ?? 0,
        "speed-limit-down-enabled": isLimited,
        "speed-limit-up": kilobytesPerSecond ?? 0,
        "speed-limit-up-enabled": isLimited,
        encryption: ENCRYPTIONS[encryption],
      }),
    );
    const faster =
      hurry === undefined ? {} : { LD_PRELOAD: fakeClock.library(), FAKETIME: `+0 x${hurry}` };
    const command = ["transmission-daemon", "--foreground", "--config-dir", config];
    const running = new Running(t, command, faster);
    const daemon = new TransmissionDaemon(peerPort, rpcPort);
    await until("transmission answers", () =>
      daemon.#torrents([]).then(
        () => true,
        () => false,
      ),
    );
    t.after(() => running.stop());
    return daemon;
  }

  /**
   * @param source - The path of a .torrent file, or a magnet link.
   * @returns Its infohash in hexadecimal.
   */
  async add(source: string, folder: string): Promise<string> {
    const said = await this.#call("torrent-add", { filename: source, "download-dir": folder });
    return said["torrent-added"]!.hashString;
  }

  /** Adds a torrent whose content is in the folder. Resolves when that is checked. */
  async addChecked(torrent: string, folder: string): Promise<void> {
    const infohash = await this.add(torrent, folder);
    await this.#call("torrent-verify", { ids: [infohash] });
    await until("transmission has checked its files", () => this.done(infohash));
  }

  /** @param infohash - In hexadecimal; all torrents when left out, and then there must be one. */
  async done(infohash?: string): Promise<boolean> {
    const torrents = await this.#torrents(["percentDone", "status"], infohash);
    // It is checking while its status is 1 or 2.
    const isDone = ({ percentDone, status }: TorrentWords) =>
      percentDone === 1 && status !== 1 && status !== 2;
    return torrents.length > 0 && torrents.every(isDone);
  }

  /** @param infohash - In hexadecimal. */
  async peers(infohash: string): Promise<readonly TransmissionPeer[]> {
    const [{ peers }] = (await this.#torrents(["peers"], infohash)) as [TorrentWords];
    return peers.map(({ address, isEncrypted, isIncoming }) => ({
      address,
      isEncrypted,
      isIncoming,
    }));
  }

  async #torrents(fields: readonly string[], infohash?: string): Promise<readonly TorrentWords[]> {
    const ids = infohash === undefined ? undefined : [infohash];
    const { torrents } = await this.#call("torrent-get", { fields, ids });
    return torrents!;
  }

  /** Its remote control: without the number of a session it answers with one. */
  async #call(method: string, words: object): Promise<Answer> {
    for (;;) {
      const response = await fetch(this.#url, {
        method: "POST",
        body: JSON.stringify({ method, arguments: words }),
        headers: { [SESSION]: this.#session },
      });
      if (response.status === 409) {
        this.#session = response.headers.get(SESSION) ?? "";
        continue;
      }
      const said = (await response.json()) as { result: string; arguments: object };
      assert.equal(said.result, "success", `${method} of transmission`);
      return said.arguments;
    }
  }
}
