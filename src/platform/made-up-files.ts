import { statfsSync } from "node:fs";

/**
 * Linux file systems (`statfs(2)`) whose files the kernel generates: they have no length before
 * they are read, and reading some of them blocks or has side effects.
 */
const MADE_UP: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x6265_6572, // sysfs
  0x6462_6720, // debugfs
  0x7472_6163, // tracefs
  0x7363_6673, // securityfs
  0x6265_6570, // configfs
  0x27_e0eb, // cgroup
  0x6367_7270, // cgroup2
  0x4249_4e4d, // binfmt_misc
  0x1980_0202, // mqueue
  0x6165_676c, // pstore
  0xde5e_81e4, // efivarfs
  0xcafe_4a11, // bpf
]);

/** Tells files on disks from files that the kernel generates on reading (MET-25). */
export class MadeUpFiles {
  /** Cached by device number, so that each device is queried once. */
  readonly #known = new Map<number, boolean>();

  /** @param device - The device of the file at `path`. @throws The system's error. */
  has(device: number, path: string): boolean {
    const known = this.#known.get(device);
    if (known !== undefined) return known;
    const isMadeUp = process.platform === "linux" && MADE_UP.has(statfsSync(path).type >>> 0);
    this.#known.set(device, isMadeUp);
    return isMadeUp;
  }
}
