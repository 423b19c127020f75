/** Below a hub's data folder: requests to publish what lies elsewhere on its machine, and the answers. */
export const IN_PLACE_FOLDER = "in-place";

/** Where a request lies below a hub's data folder, and its answer. */
export function inPlaceFiles(dataDir: string, name: string) {
  const folder = `${dataDir}/${IN_PLACE_FOLDER}`;
  return {
    folder,
    torrent: `${folder}/${name}.torrent`,
    /** Written last: what it names is complete. */
    request: `${folder}/${name}.request`,
    answer: `${folder}/${name}.answer`,
  };
}
