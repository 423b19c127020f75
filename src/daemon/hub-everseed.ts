import { crc32 } from "node:zlib";
import { Everseed } from "../publish/everseed.ts";
import { SlabLine } from "../publish/slab-line.ts";
import { READ_BYTES_MAX, StoredContents } from "../publish/stored-contents.ts";
import { TorrentLibrary } from "../publish/torrent-library.ts";
import { hubExtensions } from "./hub-neighbours.ts";
import type { HubTracker } from "./hub-tracker.ts";
import type { NodeDiscovery } from "./node-discovery.ts";
import type { NodeEngine } from "./node-engine.ts";
import type { Ends, Ground } from "./node-ground.ts";

/** Concurrent reads for direct downloads. */
const READS_MAX = 32;

/** The permanent seed of what is published, and its content for direct downloads. */
export interface HubEverseed {
  readonly everseed: Everseed;
  readonly contents: StoredContents;
  readonly library: TorrentLibrary;
}

export function openHubEverseed(
  ground: Ground,
  parts: {
    readonly engine: NodeEngine;
    readonly discovery: NodeDiscovery;
    readonly tracker: HubTracker;
  },
  ends: Ends,
): HubEverseed {
  const { config, clock, log, turns, folder, disk } = ground;
  const { files, store } = ground.state;
  const { engine, discovery, tracker } = parts;
  const library = new TorrentLibrary({ files, folder, log, turns });
  const everseed = new Everseed({
    torrents: store.torrents,
    library,
    folder,
    files,
    content: disk,
    clock,
    turns,
    log,
    onChanged: (id) => contents.forget(id),
    sources: (info) => discovery.sources(info),
    swarms: { setWhole: (infohashes, isWhole) => tracker.setWhole(infohashes, isWhole) },
    superSeeding: config.discovery.superSeeding,
    extensions: hubExtensions(config, (peers, from) => engine.guard.judgePeers(peers, from)),
  });
  const contents = new StoredContents({
    torrents: store.torrents,
    library,
    folder,
    files,
    content: disk,
    slabs: new SlabLine(disk.createSlabPool(READ_BYTES_MAX * READS_MAX)),
    sums: store.fileSums,
    crc32,
    turns,
    clock,
    log,
    report: (row, piece, intact) => everseed.handleJudged(row, piece, intact),
  });
  everseed.start(engine.session);
  ends.push(async () => everseed.stop());
  ends.push(async () => contents.close());
  engine.sleepers.add({ wake: everseed.wake, all: () => store.torrents.allInfohashes() });
  return { everseed, contents, library };
}
