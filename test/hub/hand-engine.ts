import assert from "node:assert/strict";
import type { Bitfield } from "../../src/base/bitfield.ts";
import type { AddTorrent, EngineTorrent, TorrentState } from "../../src/engine/session-contract.ts";
import type { TorrentInfo } from "../../src/metainfo/metainfo.ts";
import type { FetchEngine } from "../../src/publish/fetch-run.ts";
import type { TrackerNotice } from "../../src/publish/fetch-state.ts";

/** An engine whose torrents do what the test says. */
export class HandEngine implements FetchEngine {
  readonly torrents: HandTorrent[] = [];
  hasDht = false;

  async add(options: AddTorrent, trackers: readonly (readonly string[])[]): Promise<EngineTorrent> {
    const torrent = new HandTorrent(options, trackers);
    this.torrents.push(torrent);
    return torrent;
  }

  asksDht(): boolean {
    return this.hasDht;
  }

  trackerNotices(torrent: EngineTorrent): readonly TrackerNotice[] {
    return (torrent as HandTorrent).notices;
  }

  async remove(torrent: EngineTorrent): Promise<void> {
    const at = this.torrents.indexOf(torrent as HandTorrent);
    assert.notEqual(at, -1, "a torrent is removed once");
    this.torrents.splice(at, 1);
  }

  get only(): HandTorrent {
    assert.equal(this.torrents.length, 1);
    return this.torrents[0]!;
  }
}

export class HandTorrent implements EngineTorrent {
  readonly options: AddTorrent;
  readonly trackers: readonly (readonly string[])[];
  info: TorrentInfo | undefined;
  state: TorrentState;
  have: Bitfield | undefined;
  doneBytes = 0;
  notices: readonly TrackerNotice[] = [];

  constructor(options: AddTorrent, trackers: readonly (readonly string[])[]) {
    this.options = options;
    this.trackers = trackers;
    const { from } = options;
    this.info = "metainfo" in from ? from.metainfo.info : undefined;
    this.state = { kind: this.info ? "downloading" : "fetching-metadata" };
  }

  get infohashes() {
    const { from } = this.options;
    return "metainfo" in from ? from.metainfo.info.infohashes : from.magnet.infohashes;
  }

  /** A peer sent the details of a magnet link. */
  learn(info: TorrentInfo): void {
    this.info = info;
    this.state = { kind: "downloading" };
    this.options.onEvent?.({ kind: "metadata", info });
  }

  complete(): void {
    this.state = { kind: "seeding" };
    this.options.onEvent?.({ kind: "complete" });
  }

  stats() {
    return {
      uploaded: 0,
      downloaded: this.doneBytes,
      uploadBytesPerSecond: 0,
      downloadBytesPerSecond: 0,
      wantedBytes: this.info?.geometry.dataLength ?? 0,
      doneBytes: this.doneBytes,
      left: 0,
      peers: 0,
      seeds: 0,
      knownPeers: 0,
      rarestCopies: 0,
      slowness: undefined,
      webSeeds: 0,
    };
  }

  peers = () => [];
  webSeeds = () => [];
  partialCopies = () => undefined;
  startedPieces = () => [];
  addPeers = () => undefined;
  setWanted = () => undefined;
  setOrder = () => undefined;
  setLimits = () => undefined;
  read = () => assert.fail("nobody reads");
}
