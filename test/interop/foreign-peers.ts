import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../fixtures/temporary-folder.ts";
import { ARIA2_ALONE } from "../fixtures/aria2-alone.ts";
import { freePort } from "../fixtures/free-port.ts";
import { Running, until } from "./process.ts";
import { TransmissionDaemon } from "./transmission-daemon.ts";

export const LIBTORRENT = [
  "/usr/bin/python3",
  path.join(import.meta.dirname, "libtorrent-peer.py"),
];

/** A requirement of a test. */
export interface Needed {
  /** Why it is missing here, or `undefined`. */
  missing(): string | undefined;
}

/** A client that we did not write, in both roles. */
export interface ForeignPeer extends Needed {
  readonly name: string;
  /** False: Transmission 3.00 refuses hybrid torrents, aria2 1.36 computes another infohash for them. */
  readonly readsHybrid: boolean;
  /** False: Transmission 3.00 connects to no peer on 127.0.0.0/8 that a tracker names. */
  readonly dialsLoopback: boolean;
  /** False: Transmission 3.00 leaves files of 0 bytes out of a download. */
  readonly makesEmptyFiles: boolean;
  /** Seeds the content of `folder`. @returns The port it listens on. */
  seed(
    t: TestContext,
    torrent: string,
    folder: string,
    encryption?: ForeignEncryption,
  ): Promise<number>;
  /** Downloads into `folder`, from the peers that its tracker names. Resolves when it has everything. */
  leech(
    t: TestContext,
    source: string,
    folder: string,
    encryption?: ForeignEncryption,
  ): Promise<void>;
}

/** How a foreign peer encrypts its streams. */
export type ForeignEncryption = "allow" | "require" | "off";

/** A program that is only started. */
export function program(name: string): Needed {
  return { missing: () => missingProgram(name) };
}

function missingProgram(name: string): string | undefined {
  return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0
    ? undefined
    : `${name} is not installed (tools/peers.sh installs it)`;
}

/** Without the program a test reports why it did not run; in CI all programs must be installed. */
export function skipUnless(needed: Needed): string | false {
  const why = needed.missing();
  if (why !== undefined && process.env.CI === "true") throw new Error(why);
  return why ?? false;
}

/** A libtorrent that seeds without checking its files first. @returns The port it listens on. */
export async function seedTrusting(
  t: TestContext,
  torrent: string,
  folder: string,
): Promise<number> {
  const running = new Running(t, [...LIBTORRENT, "seed", torrent, folder, "trusting"]);
  return Number((await running.event("ready")).port);
}

export const libtorrent: ForeignPeer = {
  name: "libtorrent",
  makesEmptyFiles: true,
  dialsLoopback: true,
  readsHybrid: true,
  missing: () =>
    spawnSync("/usr/bin/python3", ["-c", "import libtorrent"]).status === 0
      ? undefined
      : "python3-libtorrent is not installed (tools/peers.sh installs it)",
  seed: async (t, torrent, folder) => {
    const running = new Running(t, [...LIBTORRENT, "seed", torrent, folder]);
    return Number((await running.event("ready")).port);
  },
  leech: async (t, source, folder) => {
    const running = new Running(t, [...LIBTORRENT, "leech", source, folder]);
    await running.event("done");
    // It reports completion when the last piece is judged; its files are written when it has ended.
    await running.succeed();
  },
};

export const aria2: ForeignPeer = {
  name: "aria2c",
  makesEmptyFiles: true,
  dialsLoopback: true,
  readsHybrid: false,
  missing: () => missingProgram("aria2c"),
  seed: async (t, torrent, folder) => {
    const port = await freePort();
    const running = new Running(t, [
      ...ARIA2,
      `--dir=${folder}`,
      `--listen-port=${port}`,
      "--seed-ratio=0.0",
      "--check-integrity=true",
      torrent,
    ]);
    await until("aria2c seeds", () => /SEED\(|Verification finished|seeding/i.test(running.output));
    return port;
  },
  leech: async (t, source, folder) => {
    const running = new Running(t, [
      ...ARIA2,
      `--dir=${folder}`,
      `--listen-port=${await freePort()}`,
      "--seed-time=0",
      source,
    ]);
    await running.succeed();
  },
};

const ARIA2 = [
  ...ARIA2_ALONE,
  "--summary-interval=1",
  "--bt-tracker-connect-timeout=5",
  "--allow-overwrite=true",
];

export const transmission: ForeignPeer = {
  name: "Transmission",
  makesEmptyFiles: false,
  dialsLoopback: false,
  readsHybrid: false,
  missing: () => missingProgram("transmission-daemon"),
  seed: async (t, torrent, folder, encryption) => {
    return seedWithTransmission(t, torrent, { folder, encryption });
  },
  leech: (t, source, folder) => leechWithTransmission(t, source, { folder, address: "127.0.0.1" }),
};

/** Seeds with Transmission on loopback. @returns The port it listens on. */
export async function seedWithTransmission(
  t: TestContext,
  torrent: string,
  how: {
    readonly folder: string;
    readonly encryption?: ForeignEncryption | undefined;
    readonly utp?: boolean;
  },
): Promise<number> {
  const { folder, encryption, utp } = how;
  const daemon = await TransmissionDaemon.start(t, {
    folder,
    encryption: encryption === "require" ? "require" : "allow",
    utp,
  });
  await daemon.addChecked(torrent, folder);
  return daemon.peerPort;
}

/** Downloads with Transmission at an address of this machine, which need not be on loopback. */
export async function leechWithTransmission(
  t: TestContext,
  source: string,
  to: { readonly folder: string; readonly address: string; readonly utp?: boolean },
): Promise<void> {
  const daemon = await TransmissionDaemon.start(t, to);
  await daemon.add(source, to.folder);
  await until("transmission has everything", () => daemon.done());
}

export interface QBittorrentOptions {
  readonly encryption?: ForeignEncryption | undefined;
  /** It tells and hears of peers. */
  readonly pex?: boolean;
}

/** qBittorrent without a window, driven by its web API. */
export class QBittorrent {
  readonly peerPort: number;
  readonly #api: string;

  private constructor(peerPort: number, webPort: number) {
    this.peerPort = peerPort;
    this.#api = `http://127.0.0.1:${webPort}/api/v2`;
  }

  static async start(
    t: TestContext,
    { encryption = "allow", pex = false }: QBittorrentOptions = {},
  ): Promise<QBittorrent> {
    const profile = temporaryFolder(t, "qbittorrent-");
    const [peerPort, webPort] = [await freePort(), await freePort()];
    const config = path.join(profile, "qBittorrent", "config");
    fs.mkdirSync(config, { recursive: true });
    fs.writeFileSync(
      path.join(config, "qBittorrent.conf"),
      [
        "[LegalNotice]",
        "Accepted=true",
        "[BitTorrent]",
        "Session\\DHTEnabled=false",
        "Session\\LSDEnabled=false",
        `Session\\PeXEnabled=${pex}`,
        `Session\\Port=${peerPort}`,
        `Session\\Encryption=${["allow", "require", "off"].indexOf(encryption)}`,
        "Session\\BTProtocol=TCP",
        "Session\\MultiConnectionsPerIp=true",
        "[Preferences]",
        "WebUI\\LocalHostAuth=false",
        "WebUI\\Address=127.0.0.1",
        `WebUI\\Port=${webPort}`,
        "Connection\\UPnP=false",
        "",
      ].join("\n"),
    );
    const running = new Running(t, ["qbittorrent-nox", `--profile=${profile}`], { HOME: profile });
    const client = new QBittorrent(peerPort, webPort);
    await until("qbittorrent answers", () =>
      client.get("app/version").then(
        () => true,
        () => false,
      ),
    );
    t.after(() => running.stop());
    return client;
  }

  async get(method: string): Promise<string> {
    const response = await fetch(`${this.#api}/${method}`);
    if (!response.ok) throw new Error(`${method}: ${response.status}`);
    return response.text();
  }

  /**
   * @param source - A .torrent file or a magnet link.
   * @param downBytesPerSecond - 0 is no limit.
   */
  async add(source: string, folder: string, downBytesPerSecond = 0): Promise<void> {
    const form = new FormData();
    form.set("dlLimit", String(downBytesPerSecond));
    if (source.startsWith("magnet:")) form.set("urls", source);
    else form.set("torrents", new Blob([fs.readFileSync(source)]), "a.torrent");
    form.set("savepath", folder);
    await this.#post("torrents/add", form);
  }

  /** Names a peer of its torrent, `address:port`. */
  async addPeer(peer: string): Promise<void> {
    let hash: string | undefined;
    await until("qbittorrent has the torrent", async () => {
      const list = JSON.parse(await this.get("torrents/info")) as { hash: string }[];
      hash = list[0]?.hash;
      return hash !== undefined;
    });
    await this.#post("torrents/addPeers", new URLSearchParams({ hashes: hash!, peers: peer }));
  }

  async #post(method: string, body: FormData | URLSearchParams): Promise<void> {
    const response = await fetch(`${this.#api}/${method}`, { method: "POST", body });
    if (!response.ok) throw new Error(`${method}: ${response.status}`);
  }

  async done(): Promise<boolean> {
    const { progress, state } = await this.#only();
    return progress === 1 && !state.startsWith("checking");
  }

  /** Strangers are let in: right after it has checked its files it is in a queue for a moment, and closes their streams. */
  async seeds(): Promise<boolean> {
    return ["uploading", "stalledUP"].includes((await this.#only()).state);
  }

  async #only(): Promise<{ readonly progress: number; readonly state: string }> {
    const list = JSON.parse(await this.get("torrents/info")) as {
      progress: number;
      state: string;
    }[];
    return list.length === 1 ? list[0]! : { progress: 0, state: "unknown" };
  }
}

export const qbittorrent: ForeignPeer = {
  name: "qBittorrent",
  makesEmptyFiles: true,
  dialsLoopback: true,
  readsHybrid: true,
  missing: () => missingProgram("qbittorrent-nox"),
  seed: async (t, torrent, folder, encryption) => {
    const client = await QBittorrent.start(t, { encryption });
    await client.add(torrent, folder);
    await until("qbittorrent seeds", () => client.seeds());
    return client.peerPort;
  },
  leech: async (t, source, folder, encryption) => {
    const client = await QBittorrent.start(t, { encryption });
    await client.add(source, folder);
    await until("qbittorrent has everything", () => client.done());
  },
};

export const FOREIGN_PEERS: readonly ForeignPeer[] = [transmission, aria2, libtorrent, qbittorrent];

/**
 * Compares two files or folders byte by byte.
 *
 * @param except - Names of files that are left out of the comparison.
 * @throws When they differ, with what differs.
 */
export function assertSameTree(
  expected: string,
  actual: string,
  except: readonly string[] = [],
): void {
  const leftOut = except.flatMap((name) => ["-x", name]);
  const { status, stdout, stderr } = spawnSync("diff", ["-rq", ...leftOut, expected, actual], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`they differ:\n${stdout}${stderr}`);
}
