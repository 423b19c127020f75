/** The paths of the site. Free of zod, so that the browser may import values from here. */

export const API_PREFIX = "/api/v1";

/** Takes `DraftInput`, gives `DeclaredDraft`; GET lists one's own unfinished `Draft`s. */
export const DRAFTS_PATH = `${API_PREFIX}/drafts`;
/** GET `TorrentList`, `?q=&page=`. */
export const TORRENTS_PATH = `${API_PREFIX}/torrents`;

/** Takes `FetchInput`, gives `Fetch`; GET lists one's own. */
export const FETCHES_PATH = `${API_PREFIX}/fetches`;
/** Takes the bytes of a .torrent file, gives `Fetch`. */
export const FETCH_TORRENT_PATH = `${FETCHES_PATH}/torrent`;

/** GET `Fetch`; DELETE cancels it. */
export function fetchPath(id: string): string {
  return `${FETCHES_PATH}/${encodeURIComponent(id)}`;
}

/** GET `Draft`; DELETE cancels it. */
export function draftPath(id: string): string {
  return `${DRAFTS_PATH}/${encodeURIComponent(id)}`;
}

/** Takes `KnownInput`, gives `KnownContent`. */
export const KNOWN_CONTENT_PATH = `${DRAFTS_PATH}/known`;

/** The draft's tus resource. */
export function uploadPath(id: string): string {
  return `${draftPath(id)}/content`;
}

/** Takes `DraftPieces`, gives `Draft`: published when the content is here already. */
export function draftPiecesPath(id: string): string {
  return `${draftPath(id)}/pieces`;
}

/** GET `TorrentDetail`; PATCH takes `TorrentChange`, gives `TorrentDetail`; DELETE gives `Removal`. */
export function torrentApiPath(id: string): string {
  return `${TORRENTS_PATH}/${encodeURIComponent(id)}`;
}

/** POST brings a removed torrent back, while that is possible; gives `TorrentDetail`. */
export function torrentRestorePath(id: string): string {
  return `${torrentApiPath(id)}/restore`;
}

/** POST takes `VersionInput`, gives `TorrentDetail`. */
export function torrentVersionPath(id: string): string {
  return `${torrentApiPath(id)}/version`;
}

/** Server-sent events named `figures`, each a `SwarmFigures`, at most one a second. */
export function torrentLivePath(id: string): string {
  return `${torrentApiPath(id)}/live`;
}

/** The page "Connections", for administrators. */
export const CONNECTIONS_PAGE_PATH = "/admin/connections";

/** The public page. */
export function torrentPagePath(id: string, name: string): string {
  return `/t/${id}/${slug(name)}`;
}

/** The .torrent file. */
export function torrentFilePath(id: string): string {
  return `/t/${id}.torrent`;
}

/** A web seed (BEP 19): below it are the torrent's files by their paths, beginning with its name. */
export function webSeedPath(id: string): string {
  return `/t/${id}/seed/`;
}

/**
 * All files as one archive, or the files that `?file=` names, any number of times, by index or range:
 * `?file=3&file=10-19`.
 */
export function archivePath(id: string): string {
  return `/t/${id}.zip`;
}

/** Direct download; the name is only for people, and the index selects the file (HUB-6). */
export function downloadPath(id: string, index: number, path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return `/t/${id}/files/${index}/${encodeURIComponent(name)}`;
}

/** A name as part of a link: letters and digits of any script, with dashes between. */
export function slug(name: string): string {
  const words = name
    .normalize("NFC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "");
  return encodeURIComponent([...words].slice(0, 60).join("") || "torrent");
}

/** GET `NodeStatus`. */
export const NODE_PATH = `${API_PREFIX}/node`;
/** GET `TransferList`; POST takes `TransferInput`. */
export const TRANSFERS_PATH = `${API_PREFIX}/transfers`;
/** POST reads the configuration file again; gives `SettingsReload`. */
export const NODE_RELOAD_PATH = `${NODE_PATH}/reload`;
/** GET `HubStatus`. */
export const STATUS_PATH = `${API_PREFIX}/status`;
/** GET `Reach`; PATCH takes `ReachChange`. */
export const REACH_PATH = `${API_PREFIX}/reach`;

/** GET `Transfer`; PATCH takes `TransferEdit`. @param id - The id, its beginning, or the name. */
export function transferPath(id: string): string {
  return `${TRANSFERS_PATH}/${encodeURIComponent(id)}`;
}

/** GET `TransferStatus`. */
export const TRANSFER_STATUS_PATH = `${TRANSFERS_PATH}/status`;
/** GET `TransferSettings`; PATCH changes what it names. */
export const TRANSFER_SETTINGS_PATH = `${TRANSFERS_PATH}/settings`;
/** Server-sent events. */
export const TRANSFER_EVENTS_PATH = `${TRANSFERS_PATH}/events`;
/** POST takes `TransferBatch`, gives `TransferBatchResult`. */
export const TRANSFER_BATCH_PATH = `${TRANSFERS_PATH}/batch`;
/** POST takes `QueueMove`. */
export const TRANSFER_QUEUE_PATH = `${TRANSFERS_PATH}/queue`;
/** POST takes the bytes of a .torrent file. */
export const TRANSFER_FILE_PATH = `${TRANSFERS_PATH}/torrent`;

/** The page with the torrents of a node. */
export const TRANSFERS_PAGE_PATH = "/transfers";

/** The page of one transfer. @param tab - Absent: its overview. */
export function transferPagePath(id: string, tab?: string): string {
  return `${TRANSFERS_PAGE_PATH}/${id}${tab === undefined ? "" : `/${tab}`}`;
}

/** GET the bytes of a file, also while it is fetched, with ranges. @param index - Of `TransferFiles`. */
export function transferContentPath(id: string, index: number): string {
  return `${transferPath(id)}/files/${index}/content`;
}

/** POST gives `MediaLink`: the same for a player. */
export function transferLinkPath(id: string, index: number): string {
  return `${transferPath(id)}/files/${index}/link`;
}
