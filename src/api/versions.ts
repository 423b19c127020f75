import { z } from "zod";
import { fromHex } from "../base/bytes.ts";
import { invariant } from "../base/errors.ts";

const hex = (bytesMin: number, bytesMax: number) =>
  z
    .string()
    .min(2 * bytesMin)
    .max(2 * bytesMax)
    .regex(/^(?:[0-9a-fA-F]{2})*$/, "It is not hexadecimal");

/**
 * `POST /api/v1/torrents/{id}/version`: an item of BEP 44 that names the torrent as the newest version of a publication
 * (BEP 46), signed by the publication's key. All bytes are hexadecimal; the secret key stays with its owner.
 */
export const versionInputSchema = z
  .object({
    publicKey: hex(32, 32),
    /** Tells several publications of one key apart. */
    salt: hex(0, 64).default(""),
    /** Decimal digits. Larger than that of the version before. */
    sequence: z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/, "It is no sequence number"),
    /** The bencoded value: a dictionary with the infohash under `ih`. */
    value: hex(1, 1000),
    signature: hex(64, 64),
  })
  .meta({ id: "VersionInput" });

/** A torrent as a version of a publication, which a key finds in the DHT (BEP 46). */
export const torrentVersionSchema = z
  .object({
    /** 64 hexadecimal digits. */
    publicKey: z.string(),
    /** Hexadecimal; empty for none. */
    salt: z.string(),
    /** Decimal digits. */
    sequence: z.string(),
    /** A magnet link that finds the newest version, whichever that is. */
    link: z.string(),
    /**
     * `kept`: this hub keeps the link alive in the DHT. `waits`: no DHT node has taken it yet. `off`: the hub has no DHT.
     * `older`: there is a newer version.
     */
    state: z.enum(["kept", "waits", "off", "older"]),
    /** When DHT nodes last took it from this hub; null when none has since the hub started. */
    storedAt: z.iso.datetime().nullable(),
    /** Nodes that took it then. */
    nodes: z.number().int(),
    /** The page of the newest version; null when this is the newest, or the newest is not here. */
    newerUrl: z.string().nullable(),
  })
  .meta({ id: "TorrentVersion" });

export type VersionInput = z.infer<typeof versionInputSchema>;
export type TorrentVersion = z.infer<typeof torrentVersionSchema>;

/** The item that the JSON stands for. */
export function versionItem(input: VersionInput) {
  return {
    kind: "mutable",
    publicKey: bytesOf(input.publicKey),
    salt: bytesOf(input.salt),
    sequence: BigInt(input.sequence),
    value: bytesOf(input.value),
    signature: bytesOf(input.signature),
  } as const;
}

function bytesOf(hex: string): Uint8Array {
  const bytes = fromHex(hex);
  invariant(bytes, "the schema lets nothing but hexadecimal through");
  return bytes;
}
