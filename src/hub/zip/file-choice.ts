import { badBody } from "../request-body.ts";

/** As many as fit into a query; a page of files needs a tenth. */
const PARTS_MAX = 4_096;

/**
 * Parses the selection of files: numbers and ranges of numbers, `3`, `10-19`, separated by commas or in several
 * parameters, as a form's check boxes send them.
 *
 * @param count - Files of the torrent.
 * @returns Their numbers in the torrent's order, without repetition; all of them when nothing is selected.
 * @throws {RefusedError} 400 for anything else, and for numbers past the last file.
 */
export function chosenFiles(parameters: readonly string[], count: number): Uint32Array {
  const parts = parameters.flatMap((parameter) => parameter.split(","));
  if (parts.length > PARTS_MAX) throw badBody(`At most ${PARTS_MAX} files or ranges can be named.`);
  // Differences of the number of ranges that cover a file, so that many long ranges cost no more than short ones.
  const changes = new Int32Array(count + 1);
  if (parts.length === 0) changes[0] = 1;
  for (const part of parts) {
    const match = /^([0-9]{1,7})(?:-([0-9]{1,7}))?$/.exec(part);
    if (!match) throw badBody(`${JSON.stringify(part)} is no file number and no range of them.`);
    const first = Number(match[1]);
    const last = Number(match[2] ?? first);
    if (last < first || last >= count) {
      throw badBody(`There is no file ${part}: they are numbered from 0 to ${count - 1}.`);
    }
    changes[first]! += 1;
    changes[last + 1]! -= 1;
  }
  const chosen = new Uint32Array(count);
  let chosenCount = 0;
  let ranges = 0;
  for (let file = 0; file < count; file += 1) {
    ranges += changes[file]!;
    if (ranges > 0) chosen[chosenCount++] = file;
  }
  return chosen.slice(0, chosenCount);
}
