/** Below a hub's data folder: requests to publish content elsewhere on its machine, and the answers. */
export const IN_PLACE_FOLDER = "in-place";

/** The paths of a request and its answer, below a hub's data folder. */
export function inPlaceFiles(dataDir: string, name: string) {
  const folder = `${dataDir}/${IN_PLACE_FOLDER}`;
  return {
    folder,
    torrent: `${folder}/${name}.torrent`,
    /** Written last: everything it names is complete. */
    request: `${folder}/${name}.request`,
    answer: `${folder}/${name}.answer`,
  };
}
