import type { Infohashes } from "../base/infohash.ts";
import { SALT_BYTES_MAX } from "../dht/item.ts";
import { KeptVersion } from "../dht/kept-version.ts";
import { formatMagnet } from "../metainfo/magnet.ts";
import type { Metainfo, PublicationName } from "../metainfo/metainfo.ts";
import type { SigningKey } from "../ports/signatures.ts";
import { CommandError } from "./command-error.ts";
import type { SessionPorts } from "./command-ports.ts";
import type { OneShotSession } from "./open-session.ts";

export type PublicationEvent =
  /** The DHT has the version, and its key finds it. */
  | {
      readonly kind: "version-stored";
      /** For followers. */
      readonly link: string;
      readonly sequence: bigint;
      /** Nodes that have taken it. */
      readonly nodes: number;
    }
  /** No node has taken it; it is tried again. */
  | { readonly kind: "version-not-stored"; readonly why: string | undefined }
  /** Somebody has published a newer version with the same key. */
  | { readonly kind: "version-superseded"; readonly sequence: bigint };

/** @throws {CommandError} `bad-plan` unless there is one torrent, and everybody may know of it. */
export function refuseUnpublishable(torrents: readonly Metainfo[]): void {
  const [first, ...others] = torrents;
  if (!first || others.length > 0) {
    throw new CommandError("bad-plan", "A version of a publication is one torrent.", {
      hint: "put everything into one folder, or publish each with a --salt of its own.",
    });
  }
  if (!first.info.private) return;
  throw new CommandError(
    "bad-plan",
    `${first.info.name} is private. Its infohash is not published.`,
    {
      subject: first.info.name,
      hint: "make it without --private.",
    },
  );
}

/** The link by which others follow a publication. */
export function publicationLink(publication: PublicationName): string {
  return formatMagnet({ publication });
}

/** Publishes a torrent that is seeded as the newest version, and keeps it in the DHT until it is closed. */
export async function keepVersion(
  ports: SessionPorts,
  session: OneShotSession,
  version: {
    readonly key: SigningKey;
    readonly salt: Uint8Array;
    readonly info: { readonly infohashes: Infohashes };
    readonly onEvent: (event: PublicationEvent) => void;
  },
): Promise<KeptVersion> {
  const { key, salt, info, onEvent } = version;
  const dht = await session.dhtNode();
  if (!dht) throw dhtIsOff();
  const { clock, random, signatures } = ports;
  const link = publicationLink({ publicKey: key.publicKey, salt });
  return new KeptVersion({
    dht,
    clock,
    random,
    signatures,
    key,
    salt,
    infohashes: info.infohashes,
    sequenceMin: sequenceNow(ports),
    onStored: ({ sequence }, nodes) => onEvent({ kind: "version-stored", link, sequence, nodes }),
    onNotStored: (why) => onEvent({ kind: "version-not-stored", why }),
    onSuperseded: ({ sequence }) => onEvent({ kind: "version-superseded", sequence }),
  });
}

/** Seconds since 1970: larger than that of every earlier version, which the DHT may have forgotten. */
export function sequenceNow({ clock }: Pick<SessionPorts, "clock">): bigint {
  return BigInt(Math.floor(clock.wallMs() / 1000));
}

/** @throws {CommandError} `bad-plan` when it is too long. */
export function refuseSalt(salt: Uint8Array): void {
  if (salt.length <= SALT_BYTES_MAX) return;
  throw new CommandError(
    "bad-plan",
    `The salt has ${salt.length} bytes. The DHT takes ${SALT_BYTES_MAX}.`,
    {
      hint: "a shorter --salt.",
    },
  );
}

function dhtIsOff(): CommandError {
  return new CommandError("bad-plan", "The DHT is off. A publication is found there by its key.", {
    hint: "leave --dht off out.",
  });
}
