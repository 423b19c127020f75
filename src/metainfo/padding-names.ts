/** BitComet gives its padding files this name, and no `attr`. */
const PADDING_OF_BITCOMET = "_____padding_file_";
/** BEP 47 puts padding files here, each named by its length. */
export const PADDING_FOLDER = ".pad";

/**
 * Recognises padding by its name, for creators that leave `attr` out.
 *
 * @param path - Names below the torrent's folder, at least one.
 * @param length - Bytes.
 */
export function isPaddingName(path: readonly string[], length: number): boolean {
  const name = path[path.length - 1]!;
  if (name.startsWith(PADDING_OF_BITCOMET)) return true;
  return path.length === 2 && path[0] === PADDING_FOLDER && length > 0 && name === String(length);
}
