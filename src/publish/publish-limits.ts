import type { PublishLimits } from "./publisher.ts";

/** Two pieces of this length fit into the memory for uploads, or two shorter ones when there is less. */
const PIECE_BYTES_MAX = 32 * 1024 * 1024;

/**
 * The limits that follow from a hub's settings.
 *
 * @param settings.uploadBytesMax - 0 leaves the limit to the disk.
 * @param settings.ingestBytes - The memory for pieces that people upload.
 */
export function publishLimits(settings: {
  readonly uploadBytesMax: number;
  readonly ingestBytes: number;
}): PublishLimits {
  const { uploadBytesMax, ingestBytes } = settings;
  return {
    uploadBytesMax: uploadBytesMax === 0 ? undefined : uploadBytesMax,
    pieceBytesMax: Math.min(PIECE_BYTES_MAX, ingestBytes / 2),
  };
}
