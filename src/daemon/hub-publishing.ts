import type { NodeDisk } from "../platform/node-disk.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Random } from "../ports/random.ts";
import { Catalogue } from "../publish/catalogue.ts";
import { ContentSharing } from "../publish/content-sharing.ts";
import type { DataFolder } from "../publish/data-folder.ts";
import { DraftUploads } from "../publish/draft-uploads.ts";
import type { Everseed } from "../publish/everseed.ts";
import { Finisher } from "../publish/finisher.ts";
import { Publications } from "../publish/publications.ts";
import { Publisher, type PublishLimits } from "../publish/publisher.ts";
import { SlabLine } from "../publish/slab-line.ts";
import type { SpaceAccount } from "../publish/space-account.ts";
import type { StoredContents } from "../publish/stored-contents.ts";
import { TorrentAdoption } from "../publish/torrent-adoption.ts";
import { TorrentVersions } from "../publish/torrent-versions.ts";
import type { TorrentLibrary } from "../publish/torrent-library.ts";
import type { Turns } from "../publish/turns.ts";
import { NodeSignatures } from "../platform/node-signatures.ts";
import type { HubDht } from "./hub-dht.ts";
import type { HubState } from "./hub-state.ts";
import type { HubTracker } from "./hub-tracker.ts";

export interface PublishingParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly disk: NodeDisk;
  readonly log: Log;
  /** The memory for pieces that people upload. */
  readonly ingestBytes: number;
  readonly state: HubState;
  readonly space: SpaceAccount;
  readonly folder: DataFolder;
  readonly library: TorrentLibrary;
  readonly turns: Turns;
  readonly everseed: Everseed;
  readonly contents: StoredContents;
  readonly tracker: HubTracker;
  readonly dht: Pick<HubDht, "versions">;
  readonly trackers: readonly string[];
  readonly limits: PublishLimits;
}

export interface Publishing {
  readonly publisher: Publisher;
  readonly publications: Publications;
  readonly versions: TorrentVersions;
  readonly catalogue: Catalogue;
  readonly sharing: ContentSharing;
  readonly adoption: TorrentAdoption;
}

/** Composes the parts of the room `publish` that accept, store and list torrents. */
export function openPublishing(parts: PublishingParts): Publishing {
  const { state, folder, library, turns, clock, random, log, disk, limits, trackers } = parts;
  const { files } = state;
  const { torrents, removedTorrents, drafts, fileCopies, settings } = state.store;
  const uploads = new DraftUploads({
    drafts,
    folder,
    files,
    turns,
    clock,
    log,
    content: disk,
    slabs: new SlabLine(disk.createSlabPool(parts.ingestBytes)),
  });
  const sharing = new ContentSharing({
    torrents,
    copies: fileCopies,
    settings,
    library,
    folder,
    files,
    log,
  });
  const versions = new TorrentVersions({
    versions: state.store.torrentVersions,
    torrents,
    signatures: new NodeSignatures(),
    keeper: () => parts.dht.versions,
  });
  const publications = new Publications({
    torrents,
    removed: removedTorrents,
    drafts,
    copies: fileCopies,
    library,
    swarms: parts.tracker,
    everseed: parts.everseed,
    contents: parts.contents,
    versions,
    folder,
    files,
    clock,
    log,
  });
  const finisher = new Finisher({
    publications,
    torrents,
    drafts,
    sharing,
    folder,
    files,
    turns,
    clock,
    log,
    trackers,
    swarms: parts.tracker,
    everseed: {
      isDamaged: (id) => parts.everseed.isDamaged(id),
      replace: async (id, replace) => {
        await parts.everseed.replace(id, replace);
        parts.contents.forget(id);
      },
    },
  });
  return {
    sharing,
    publications,
    versions,
    adoption: new TorrentAdoption({
      torrents,
      publications,
      folder,
      files,
      clock,
      trackers,
      sharing,
      swarms: parts.tracker,
    }),
    publisher: new Publisher({
      drafts,
      uploads,
      finisher,
      space: parts.space,
      folder,
      files,
      clock,
      random,
      log,
      limits,
      turns,
    }),
    catalogue: new Catalogue({ torrents, drafts, library, folder, turns }),
  };
}
