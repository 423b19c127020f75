import { extname } from "node:path";

/**
 * Where the code of the disk workers lies. Nobody rewrites the address when TypeScript is bundled, so the
 * suffix is that of the file that runs now; no other file names a worker.
 */
export const DISK_WORKER_URL = new URL(
  `./disk-worker${extname(import.meta.filename)}`,
  import.meta.url,
);
