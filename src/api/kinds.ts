/** The kinds of torrents in words. Free of zod, so that the browser may import values from here. */

/** The default kind of a torrent. */
export const KIND_DEFAULT = "v1";

/** Names the programs that read a torrent of the kind, for the people who choose it. */
export const KIND_READERS = {
  v1: "every BitTorrent program reads it",
  hybrid:
    "v1 and v2 in one; qBittorrent 4.4, Transmission 4 and BiglyBT read it, Transmission 3 and aria2 do not",
  v2: "qBittorrent 4.4 and BiglyBT read it, Transmission and aria2 do not",
} as const;
