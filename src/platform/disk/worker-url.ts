import { extname } from "node:path";

/**
 * Where the code of the disk workers is. Bundling TypeScript does not rewrite this address, so the
 * suffix is that of the running file; no other file names a worker.
 */
export const DISK_WORKER_URL = new URL(
  `./disk-worker${extname(import.meta.filename)}`,
  import.meta.url,
);
