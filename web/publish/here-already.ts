import type {
  DeclaredDraft,
  Draft,
  DraftPieces,
  KnownContent,
  KnownInput,
} from "../../src/api/drafts.ts";
import { KIND_DEFAULT } from "../../src/api/kinds.ts";
import { draftPiecesPath, KNOWN_CONTENT_PATH } from "../../src/api/paths.ts";
import { KNOWN_FILES_MAX } from "../../src/api/source-limits.ts";
import type { TorrentSummary } from "../../src/api/torrents.ts";
import { askHub } from "../client/hub.ts";
import type { Chosen } from "./chosen-files.ts";
import { ContentHash } from "./content-hash.ts";
import type { HashJob, PieceHashes } from "./hash-worker.ts";
import { automaticPieceSize } from "./piece-size.ts";
import type { DraftOptions } from "./remembered.ts";

/** Bytes; an upload that is this far ahead of the hashing will end first. */
const leadBytesMax = 64 * 1024 * 1024;

/** The options that decide how content is cut into pieces. */
export type Cut = Pick<DraftOptions, "kind" | "pieceSize">;

/**
 * Finds out whether chosen files are already on the hub. Hashing starts as soon as files are chosen, while the person
 * looks at the form; the upload does not wait for it, because reading and hashing are nearly always faster than the
 * network, and new content must not be delayed.
 */
export class HereAlready {
  /** In the order and pieces that the hub will use, as far as known now. */
  readonly #chosen: Chosen["files"];
  readonly #cut: Cut;
  #job: HashJob;
  #hash: ContentHash;

  constructor(chosen: Chosen, cut: Cut) {
    const { kind = KIND_DEFAULT, pieceSize = "auto" } = cut;
    this.#cut = { kind, pieceSize };
    // A tree compares name by name: the end of a name sorts before every byte, as NUL does.
    const key = (path: string): string => (kind === "v1" ? path : path.replaceAll("/", "\0"));
    this.#chosen = chosen.files.toSorted((a, b) => compareCodePoints(key(a.path), key(b.path)));
    this.#job = {
      files: this.#chosen.map(({ file }) => file),
      pieceSize: pieceSize === "auto" ? automaticPieceSize(chosen.size) : pieceSize,
      kind,
    };
    this.#hash = new ContentHash(this.#job);
  }

  /** True when these options make the same pieces. */
  fits({ kind = KIND_DEFAULT, pieceSize = "auto" }: Cut): boolean {
    return kind === this.#cut.kind && pieceSize === this.#cut.pieceSize;
  }

  /**
   * Asks the hub as soon as everything is hashed, before the person decides.
   *
   * @returns The torrent with this content; `undefined` when there is none, or it cannot be determined.
   */
  async look(options: DraftOptions): Promise<TorrentSummary | undefined> {
    if (this.#chosen.length > KNOWN_FILES_MAX) return undefined;
    const pieces = await this.#hash.pieces;
    if (pieces === undefined) return undefined;
    const { pieceSize } = this.#job;
    const files = this.#chosen.map(({ path, file }) => ({ path, size: file.size }));
    try {
      const body: KnownInput = { ...options, pieceSize, files, pieces: inBase64(pieces) };
      const { torrent } = await askHub<KnownContent>("POST", KNOWN_CONTENT_PATH, body);
      return torrent ?? undefined;
    } catch (error) {
      console.debug("the hub could not be asked whether it has the files", error);
      return undefined;
    }
  }

  /**
   * Asks the hub to end an upload as soon as everything is hashed.
   *
   * @param files - In the order of the declaration.
   * @returns The draft, which leads to the torrent with this content; `undefined` when there is none, or it cannot be
   *   determined: the hub finds it out when the upload ends.
   */
  async ask(draft: DeclaredDraft, files: readonly File[]): Promise<Draft | undefined> {
    const ordered = draft.order.flatMap((index) => files[index] ?? []);
    const { pieceSize, kind } = draft;
    const asGuessed =
      pieceSize === this.#job.pieceSize &&
      kind === this.#job.kind &&
      ordered.length === this.#job.files.length &&
      ordered.every((file, index) => file === this.#job.files[index]);
    if (!asGuessed) {
      this.stop();
      this.#job = { files: ordered, pieceSize, kind };
      this.#hash = new ContentHash(this.#job);
    }
    const pieces = await this.#hash.pieces;
    if (pieces === undefined) return undefined;
    try {
      const body: DraftPieces = inBase64(pieces);
      const answer = await askHub<Draft>("POST", draftPiecesPath(draft.id), body);
      return answer.state === "published" ? answer : undefined;
    } catch (error) {
      console.debug("the hub could not be asked whether it has the files", error);
      return undefined;
    }
  }

  /** Stops hashing when the upload is so far ahead that it will end first. */
  follow(sent: number): void {
    if (sent > this.#hash.bytes + leadBytesMax) this.stop();
  }

  stop(): void {
    this.#hash.stop();
  }
}

/** Orders texts by code points, which is the order of their UTF-8 bytes and the hub's order. */
export function compareCodePoints(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const [left, right] = [a.codePointAt(at)!, b.codePointAt(at)!];
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

/** Characters at a time: more would be too many arguments for one call. */
const stepBytes = 8192;

function inBase64({ v1, v2 }: PieceHashes): DraftPieces {
  return { ...(v1 && { v1: toBase64(v1) }), ...(v2 && { v2: toBase64(v2) }) };
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += stepBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + stepBytes));
  }
  return btoa(text);
}
