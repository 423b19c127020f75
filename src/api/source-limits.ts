/** Limits of what is told to the hub. Free of zod, so that the browser may import values from here. */

/** Of a title. */
export const TITLE_CHARACTERS_MAX = 255;

/** Of a magnet link: room for many trackers and a long name. */
export const MAGNET_CHARACTERS_MAX = 16_384;

/** Of a .torrent file: what readers of them take. */
export const TORRENT_FILE_BYTES_MAX = 30 * 1024 * 1024;

/** Files of content that can be asked for before the upload: whether it is here already. */
export const KNOWN_FILES_MAX = 10_000;
