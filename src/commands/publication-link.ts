import { fromHex } from "../base/bytes.ts";
import { parseMagnet, parsePublicationLink } from "../metainfo/magnet.ts";
import type { PublicationLink } from "../metainfo/metainfo.ts";
import { MetainfoError } from "../metainfo/metainfo-error.ts";
import { CommandError } from "./command-error.ts";

const PUBLIC_KEY_BYTES = 32;
const NO_SALT = new Uint8Array(0);

/**
 * Reads what names a publication: a magnet link with `xs=urn:btpk:` (BEP 46), or the 64 hexadecimal digits of its key.
 *
 * @param salt - For a bare key; a link has its own.
 * @throws {CommandError} `bad-magnet`, `bad-plan`.
 */
export function readPublicationName(text: string, salt: Uint8Array | undefined): PublicationLink {
  const publicKey = fromHex(text);
  if (publicKey?.length === PUBLIC_KEY_BYTES) {
    const publication = { publicKey, salt: salt ?? NO_SALT };
    return { publication, trackers: [], webSeeds: [], peers: [], exactSources: [] };
  }
  const link = publicationLinkOf(text);
  if (!link) {
    throw new CommandError("bad-plan", `${text} names no publication.`, {
      subject: text,
      hint: "a link with xs=urn:btpk: in quotes, or the 64 hexadecimal digits of a key.",
    });
  }
  if (salt) {
    throw new CommandError(
      "bad-plan",
      "The link says which publication it is. --salt is for a bare key.",
      {
        hint: "leave --salt out.",
      },
    );
  }
  return link;
}

/** @returns `undefined` for everything but a magnet link with a key. @throws {CommandError} `bad-magnet`. */
export function publicationLinkOf(text: string): PublicationLink | undefined {
  if (!/^\s*magnet:\?/i.test(text) || !/urn(?::|%3a)btpk/i.test(text)) return undefined;
  try {
    return parsePublicationLink(text);
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new CommandError("bad-magnet", `This is ${error.detail}.`, {
      hint: "copy the whole link again, and put it in quotes.",
      cause: error,
    });
  }
}

/** @returns The link when it names a publication and no version of it. @throws {CommandError} `bad-magnet`. */
export function linkWithoutVersion(text: string): PublicationLink | undefined {
  const link = publicationLinkOf(text);
  return link && !hasInfohash(text) ? link : undefined;
}

function hasInfohash(text: string): boolean {
  try {
    parseMagnet(text);
    return true;
  } catch (error) {
    if (error instanceof MetainfoError) return false;
    throw error;
  }
}
