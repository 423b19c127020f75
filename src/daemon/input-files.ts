import type { Stats } from "node:fs";
import { lstat, readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DaemonError, diskTrouble } from "./daemon-error.ts";

/** A file or folder that a torrent is to be made of. */
export interface InputTree {
  /** Of the file or folder. */
  readonly name: string;
  readonly folder: boolean;
  /** Absolute; paths of files are below it. */
  readonly root: string;
  readonly files: readonly FoundFile[];
  /** Paths of what is neither file nor folder: links, sockets, pipes. */
  readonly skipped: readonly string[];
}

export interface FoundFile {
  /** Below `root`. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  readonly mtimeMs: number;
  readonly executable: boolean;
}

/**
 * Lists what is in a folder, or the one file. Links inside a folder are not followed: they may lead
 * anywhere.
 *
 * @throws {DaemonError} `not-found`, `not-readable`, `bad-plan` when there is no file.
 */
export async function listInput(path: string, signal?: AbortSignal): Promise<InputTree> {
  const absolute = resolve(path);
  const facts = await ask(stat(absolute), absolute, path);
  const name = basename(absolute);
  if (name === "") {
    throw new DaemonError("bad-plan", "The root of the file system has no name.", {
      hint: "choose a folder below it.",
    });
  }
  if (facts.isFile()) {
    const files = [found([name], facts)];
    return { name, folder: false, root: dirname(absolute), files, skipped: [] };
  }
  if (!facts.isDirectory()) {
    throw new DaemonError("bad-plan", `${path} is neither a file nor a folder.`, { subject: path });
  }
  const files: FoundFile[] = [];
  const skipped: string[] = [];
  const walk = async (below: readonly string[]): Promise<void> => {
    signal?.throwIfAborted();
    const folder = join(absolute, ...below);
    const entries = await ask(readdir(folder, { withFileTypes: true }), folder);
    for (const entry of entries) {
      const inner = [...below, entry.name];
      if (entry.isDirectory()) await walk(inner);
      else if (entry.isFile()) files.push(await lookAt(absolute, inner));
      else skipped.push(inner.join("/"));
    }
  };
  await walk([]);
  if (files.length === 0) {
    throw new DaemonError("bad-plan", `${path} holds no file.`, {
      subject: path,
      hint: "put the files in first; a torrent of nothing cannot be made.",
    });
  }
  return { name, folder: true, root: absolute, files, skipped };
}

/** @throws {DaemonError} `changed` when a file is not what it was when it was listed. */
export async function refuseChanges(tree: InputTree): Promise<void> {
  for (const file of tree.files) {
    const path = join(tree.root, ...file.path);
    const facts = await ask(lstat(path), path);
    if (facts.size === file.length && facts.mtimeMs === file.mtimeMs) continue;
    throw fileChanged(path);
  }
}

/** For a file that is not to be relied on. */
export function fileChanged(path: string): DaemonError {
  return new DaemonError("changed", `${path} changed while it was read.`, {
    subject: path,
    hint: "the same again when nobody writes to it.",
  });
}

async function lookAt(root: string, path: readonly string[]): Promise<FoundFile> {
  const absolute = join(root, ...path);
  return found(path, await ask(lstat(absolute), absolute));
}

function found(path: readonly string[], facts: Stats): FoundFile {
  const { size: length, mtimeMs, mode } = facts;
  return { path, length, mtimeMs, executable: (mode & 0o100) !== 0 };
}

async function ask<Answer>(answer: Promise<Answer>, path: string, label = path): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    throw diskTrouble(error, `read ${label}`, label);
  }
}
