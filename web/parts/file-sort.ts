const sorts: readonly (readonly [words: string, endings: RegExp])[] = [
  ["a video", /\.(avi|m4v|mkv|mov|mp4|mpe?g|ogv|webm|wmv)$/i],
  ["a sound recording", /\.(aac|flac|m4a|mp3|oga|ogg|opus|wav|wma)$/i],
  ["a picture", /\.(avif|bmp|gif|heic|jpe?g|png|svg|tiff?|webp)$/i],
  ["an archive", /\.(7z|bz2|gz|rar|tar|tgz|xz|zip|zst)$/i],
  ["a disk image", /\.(dmg|img|iso|qcow2|vhdx?|vmdk)$/i],
  ["a document", /\.(docx?|epub|md|odt|pdf|rtf|txt)$/i],
  ["a table", /\.(csv|ods|tsv|xlsx?)$/i],
];

/** @returns The kind of a file judged by its name, for people: "a video"; undefined when unknown. */
export function sortOfFile(path: string): string | undefined {
  return sorts.find(([, endings]) => endings.test(path))?.[0];
}
