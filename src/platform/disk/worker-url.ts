/**
 * Where the code of the disk workers lies. Nobody rewrites the address when TypeScript is compiled, so the
 * suffix is that of the file that runs now; no other file names a worker.
 */
export const DISK_WORKER_URL = new URL(
  import.meta.filename.endsWith(".ts") ? "./disk-worker.ts" : "./disk-worker.js",
  import.meta.url,
);
