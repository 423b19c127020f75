import type { Work } from "../../base/work.ts";
import type { TorrentInfo } from "../../metainfo/metainfo.ts";
import type { Clock } from "../../ports/clock.ts";
import type { ContentSource, OpenContent } from "../../ports/content.ts";
import { contentLayoutInSteps, openInSteps } from "../content-layout.ts";
import type { ExistingFiles } from "../existing-files.ts";
import { inSlices, type Sliced } from "./in-slices.ts";

export interface OpenInSlicesOptions {
  readonly source: ContentSource;
  readonly clock: Clock;
  readonly info: TorrentInfo;
  readonly root: string;
  /** Done first: reads 32 bytes a piece into shared memory, or `undefined` for a v1 torrent. */
  readonly hashesV2: Work<Uint8Array | undefined>;
  readonly existing: ExistingFiles;
  readonly unfinishedSuffix: string | undefined;
  /** Called when more than one slice was needed; never within the call. */
  readonly onOpened: (content: OpenContent) => void;
}

/** Opens the content of a torrent, which may have 200,000 files, a few milliseconds at a time. */
export function openInSlices(options: OpenInSlicesOptions): Sliced<OpenContent> {
  return inSlices(options.clock, open(options), options.onOpened);
}

function* open(options: OpenInSlicesOptions): Work<OpenContent> {
  const { source, info, root, existing, unfinishedSuffix } = options;
  const hashesV2 = yield* options.hashesV2;
  const layout = yield* contentLayoutInSteps(info, { root, hashesV2, existing });
  return yield* openInSteps(source, { ...layout, unfinishedSuffix });
}
