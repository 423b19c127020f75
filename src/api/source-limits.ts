/** Limits on the input of the hub. Free of zod, so that the browser may import values from here. */

/** Of a title. */
export const TITLE_CHARACTERS_MAX = 255;

/** Of a magnet link: room for many trackers and a long name. */
export const MAGNET_CHARACTERS_MAX = 16_384;

/** Bytes of a .torrent file: what its readers accept. */
export const TORRENT_FILE_BYTES_MAX = 30 * 1024 * 1024;

/** Files in a question whether content is already here, before an upload. */
export const KNOWN_FILES_MAX = 10_000;
