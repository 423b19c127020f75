import type { DeclaredDraft, Draft, DraftPieces } from "../../src/api/drafts.ts";
import { draftPiecesPath } from "../../src/api/paths.ts";
import { askHub } from "../client/hub.ts";
import type { Chosen } from "./chosen-files.ts";
import { ContentHash } from "./content-hash.ts";
import { automaticPieceSize } from "./piece-size.ts";

/** Bytes; an upload that is so far ahead of the hashing ends before it. */
const leadBytesMax = 64 * 1024 * 1024;

/**
 * Finds out whether chosen files are on the hub already. The files are hashed from the moment they are chosen, while
 * a person still looks at the form; the upload does not wait for it, because reading and hashing are nearly always
 * faster than a line, and what is new must not be slower for it.
 */
export class HereAlready {
  /** As the hub is going to order and cut them, as far as can be known now. */
  #files: readonly File[];
  #pieceSize: number;
  #hash: ContentHash;

  constructor(chosen: Chosen) {
    const sorted = chosen.files.toSorted((a, b) => compareCodePoints(a.path, b.path));
    this.#files = sorted.map(({ file }) => file);
    this.#pieceSize = automaticPieceSize(chosen.size);
    this.#hash = new ContentHash(this.#files, this.#pieceSize);
  }

  /**
   * Asks the hub, as soon as everything is hashed.
   *
   * @param files - As they were declared.
   * @returns The draft, which leads to the torrent that has the content; `undefined` when there is none, or when it
   *   cannot be told: the hub finds it out when the upload ends.
   */
  async ask(draft: DeclaredDraft, files: readonly File[]): Promise<Draft | undefined> {
    if (draft.kind !== "v1") {
      this.stop();
      return undefined;
    }
    const ordered = draft.order.flatMap((index) => files[index] ?? []);
    const asGuessed =
      draft.pieceSize === this.#pieceSize &&
      ordered.length === this.#files.length &&
      ordered.every((file, index) => file === this.#files[index]);
    if (!asGuessed) {
      this.stop();
      [this.#files, this.#pieceSize] = [ordered, draft.pieceSize];
      this.#hash = new ContentHash(ordered, draft.pieceSize);
    }
    const pieces = await this.#hash.pieces;
    if (pieces === undefined) return undefined;
    try {
      const body: DraftPieces = { v1: toBase64(pieces) };
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

/** Orders texts by their code points, which is the order of their UTF-8 bytes: that of the hub. */
export function compareCodePoints(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at += 1) {
    const [left, right] = [a.codePointAt(at)!, b.codePointAt(at)!];
    if (left !== right) return left - right;
  }
  return a.length - b.length;
}

/** Characters at a time: more would be too many arguments for one call. */
const stepBytes = 8192;

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += stepBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + stepBytes));
  }
  return btoa(text);
}
