import { z } from "zod";
import { TRANSFERS_PATH, transferPath } from "../api/paths.ts";
import { fitsPattern } from "../base/file-pattern.ts";
import { TORRENT_FILE_BYTES_MAX } from "../api/source-limits.ts";
import {
  type FilePriorityView,
  type TransferEditInput,
  type TransferFilesView,
  type TransferInput,
  transferFilesSchema,
  transferListSchema,
  type TransferPeersView,
  transferPeersSchema,
  transferSchema,
  type TransferSettingsChange,
  type TransferSettingsView,
  transferSettingsSchema,
  type TransferTrackersView,
  transferTrackersSchema,
  type TransferView,
} from "../api/transfers.ts";
import type { UserFiles } from "../ports/user-files.ts";
import { CommandError, diskTrouble } from "./command-error.ts";
import type { ControlClient } from "./control-client.ts";
import { factsOf } from "./path-facts.ts";

const nothing = z.undefined();

const LATER_WINS = ["skip", "low", "normal", "high"] as const;

export interface AddOptions extends Omit<TransferInput, "source" | "folder"> {
  /** Receives, or holds, the files; relative to the working directory. */
  readonly folder?: string | undefined;
}

/** The outcome for one torrent of several. */
export type AddedTransfer =
  | { readonly kind: "added"; readonly transfer: TransferView }
  | { readonly kind: "refused"; readonly source: string; readonly error: CommandError };

/** What a person asks of the transfers of the node on this machine. */
export class TransferClient {
  readonly #node: ControlClient;
  readonly #files: UserFiles;

  constructor(node: ControlClient, files: UserFiles) {
    this.#node = node;
    this.#files = files;
  }

  /**
   * Adds what a source names: a .torrent file, a folder of such files, a magnet link, an infohash or a URL. A folder
   * goes on after a refusal.
   *
   * @throws {CommandError} (rejects) The refusal of a single torrent, or `not-found` for an empty folder.
   */
  async *add(source: string, options: AddOptions): AsyncIterable<AddedTransfer> {
    const facts = factsOf(this.#files, source);
    if (facts?.kind !== "folder") {
      yield { kind: "added", transfer: await this.#addOne(source, options) };
      return;
    }
    const { root, files } = await this.#files.list(source, {});
    const torrents = files.filter(({ path }) => /\.torrent$/i.test(path.at(-1)!));
    if (torrents.length === 0) {
      throw new CommandError("not-found", `${source} has no .torrent files.`, {
        subject: source,
        hint: `everseed create ${source} makes a torrent of the folder.`,
      });
    }
    for (const { path } of torrents) {
      const file = [root, ...path].join("/");
      try {
        yield { kind: "added", transfer: await this.#addOne(file, options) };
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        yield { kind: "refused", source: file, error };
      }
    }
  }

  async list(filter: { readonly label?: string | undefined } = {}): Promise<TransferView[]> {
    const found: TransferView[] = [];
    for await (const transfer of this.each(filter)) found.push(transfer);
    return found;
  }

  /** All of them, page after page. */
  async *each(filter: { readonly label?: string | undefined }): AsyncIterable<TransferView> {
    let after: number | null = 0;
    while (after !== null) {
      const query = new URLSearchParams({ after: String(after) });
      if (filter.label !== undefined) query.set("label", filter.label);
      const page: z.infer<typeof transferListSchema> = await this.#node.ask(
        `${TRANSFERS_PATH}?${query.toString()}`,
        transferListSchema,
      );
      yield* page.transfers;
      after = page.next;
    }
  }

  /** @param id - The id, its beginning, or the name. */
  find(id: string): Promise<TransferView> {
    return this.#node.ask(transferPath(id), transferSchema);
  }

  async command(id: string, name: "start" | "stop" | "recheck" | "announce"): Promise<void> {
    await this.#node.ask(`${transferPath(id)}/${name}`, nothing, { method: "POST" });
  }

  async remove(id: string, withContent: boolean): Promise<void> {
    const query = `?content=${String(withContent)}`;
    await this.#node.ask(transferPath(id) + query, nothing, { method: "DELETE" });
  }

  edit(id: string, body: TransferEditInput): Promise<TransferView> {
    return this.#node.ask(transferPath(id), transferSchema, { method: "PATCH", body });
  }

  move(id: string, folder: string): Promise<TransferView> {
    const body = { folder: this.#files.absolute(folder) };
    return this.#node.ask(`${transferPath(id)}/move`, transferSchema, { method: "POST", body });
  }

  rename(id: string, path: string, name: string): Promise<TransferView> {
    const body = { path, name };
    return this.#node.ask(`${transferPath(id)}/rename`, transferSchema, { method: "POST", body });
  }

  files(id: string): Promise<TransferFilesView> {
    return this.#node.ask(`${transferPath(id)}/files`, transferFilesSchema);
  }

  /**
   * Chooses files by patterns, as `get --select` does. Of several that fit one file, the highest priority holds.
   *
   * @throws {CommandError} (rejects) `not-found` when a pattern fits no file.
   */
  async choose(
    id: string,
    chosenBy: Partial<Record<FilePriorityView, readonly string[]>>,
  ): Promise<void> {
    const { files } = await this.files(id);
    const chosen: Record<string, FilePriorityView> = {};
    for (const priority of LATER_WINS) {
      for (const pattern of chosenBy[priority] ?? []) {
        for (const { index } of this.fitting(id, files, pattern)) chosen[index] = priority;
      }
    }
    await this.edit(id, { files: chosen });
  }

  /** @returns The files that fit a pattern. @throws {CommandError} `not-found` when there is none. */
  fitting(
    id: string,
    files: TransferFilesView["files"],
    pattern: string,
  ): TransferFilesView["files"] {
    const fitting = files.filter(({ path }) => this.#fits(path, pattern));
    if (fitting.length > 0) return fitting;
    throw new CommandError("not-found", `No file fits ${pattern}.`, {
      hint: `everseed files ${id} lists them.`,
    });
  }

  peers(id: string): Promise<TransferPeersView> {
    return this.#node.ask(`${transferPath(id)}/peers`, transferPeersSchema);
  }

  trackers(id: string): Promise<TransferTrackersView> {
    return this.#node.ask(`${transferPath(id)}/trackers`, transferTrackersSchema);
  }

  settings(): Promise<TransferSettingsView> {
    return this.#node.ask(`${TRANSFERS_PATH}/settings`, transferSettingsSchema);
  }

  setSettings(body: TransferSettingsChange): Promise<TransferSettingsView> {
    const change = { method: "PATCH", body } as const;
    return this.#node.ask(`${TRANSFERS_PATH}/settings`, transferSettingsSchema, change);
  }

  #fits(path: string, pattern: string): boolean {
    return fitsPattern(path, pattern, (text, glob) => this.#files.matchesGlob(text, glob));
  }

  async #addOne(source: string, options: AddOptions): Promise<TransferView> {
    const folder = options.folder === undefined ? undefined : this.#files.absolute(options.folder);
    const { shareLimits, ...flat } = options;
    if (factsOf(this.#files, source) === undefined) {
      return this.#node.ask(TRANSFERS_PATH, transferSchema, {
        method: "POST",
        body: { ...options, folder, source },
      });
    }
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries({ ...flat, ...shareLimits, folder })) {
      const values = Array.isArray(value) ? value : value === undefined ? [] : [value];
      for (const each of values) query.append(key, String(each));
    }
    return this.#node.ask(`${TRANSFERS_PATH}/torrent?${query.toString()}`, transferSchema, {
      method: "POST",
      body: await this.#read(source),
    });
  }

  async #read(path: string): Promise<Uint8Array> {
    const limits = {
      fileBytesMax: TORRENT_FILE_BYTES_MAX,
      streamBytesMax: TORRENT_FILE_BYTES_MAX,
    };
    try {
      const { bytes } = await this.#files.read(path, limits);
      if (bytes) return bytes;
    } catch (error) {
      throw diskTrouble(error, `read ${path}`, path);
    }
    throw new CommandError("not-a-torrent", `${path} is too large for a .torrent file.`, {
      subject: path,
      hint: "give the .torrent file, not the content.",
    });
  }
}
