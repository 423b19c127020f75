import { torrentApiPath, torrentVersionPath } from "../api/paths.ts";
import { torrentDetailSchema } from "../api/torrents.ts";
import type { TorrentVersion, VersionInput } from "../api/versions.ts";
import { fromHex, toHex } from "../base/bytes.ts";
import type { Infohashes } from "../base/infohash.ts";
import { signItem } from "../dht/item.ts";
import { encodePointer } from "../dht/mutable-torrent.ts";
import type { Clock } from "../ports/clock.ts";
import type { SigningKey } from "../ports/signatures.ts";
import { CommandError } from "./command-error.ts";
import type { HubPorts } from "./command-ports.ts";
import { HubClient } from "./hub-client.ts";
import { torrentAtHub } from "./hub-torrent.ts";
import { sequenceNow } from "./publish-version.ts";

/** A publication of the user: the key signs its versions (BEP 46). */
export interface OwnPublication {
  readonly key: SigningKey;
  readonly salt: Uint8Array;
}

/** The infohashes of a torrent as JSON has them. */
interface NamedInfohashes {
  readonly infohashV1: string | null;
  readonly infohashV2: string | null;
}

/** Signs a torrent as the newest version of a publication. The key stays here. */
export function signVersion(
  { clock }: { readonly clock: Clock },
  { key, salt }: OwnPublication,
  torrent: NamedInfohashes,
): VersionInput {
  const value = encodePointer(infohashesOf(torrent));
  const { publicKey, sequence, signature } = signItem(key, {
    value,
    salt,
    sequence: sequenceNow({ clock }),
  });
  return {
    publicKey: toHex(publicKey),
    salt: toHex(salt),
    sequence: sequence.toString(),
    value: toHex(value),
    signature: toHex(signature),
  };
}

/**
 * Makes a torrent on a hub the newest version of a publication: the hub gets a signed item, and keeps it in the DHT. Nothing is
 * signed when it is the newest version already.
 *
 * @throws {CommandError} The hub's refusal. Or the signal's reason.
 */
export async function handVersion(
  { calls, clock }: HubPorts,
  options: {
    readonly hub: string;
    readonly token: string;
    readonly publication: OwnPublication;
    /** On the hub. */
    readonly torrent: NamedInfohashes & { readonly torrentUrl: string };
    readonly signal: AbortSignal;
  },
): Promise<TorrentVersion> {
  const { token, publication, torrent, signal } = options;
  const { id } = torrentAtHub(torrent.torrentUrl);
  const hub = new HubClient(calls, { base: options.hub, token, signal });
  const known = await hub.ask(torrentApiPath(id), torrentDetailSchema);
  const newest = versionOf(known.versions, publication);
  if (newest && newest.state !== "older") return newest;
  const input = signVersion({ clock }, publication, torrent);
  const { versions } = await hub.ask(torrentVersionPath(id), torrentDetailSchema, input);
  const version = versionOf(versions, publication);
  if (version) return version;
  throw new CommandError("unreachable", "The hub took the version and does not say so.");
}

/** @throws {CommandError} `bad-plan` for a private torrent: its infohash is for the members of its trackers. */
export function refusePrivateVersion(isPrivate = false): void {
  if (!isPrivate) return;
  throw new CommandError(
    "bad-plan",
    "The infohash of a private torrent is not published in the DHT.",
    {
      hint: "leave --private or --mutable out.",
    },
  );
}

function versionOf(
  versions: readonly TorrentVersion[],
  { key, salt }: OwnPublication,
): TorrentVersion | undefined {
  const publicKey = toHex(key.publicKey);
  return versions.find(
    (version) => version.publicKey === publicKey && version.salt === toHex(salt),
  );
}

function infohashesOf({ infohashV1, infohashV2 }: NamedInfohashes): Infohashes {
  return { v1: bytesOf(infohashV1), v2: bytesOf(infohashV2) };
}

function bytesOf(hex: string | null): Uint8Array | undefined {
  return hex === null ? undefined : fromHex(hex);
}
