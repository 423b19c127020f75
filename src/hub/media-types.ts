/**
 * Types of files that a browser shows and cannot run. Everything else is a download: a page or a script from a torrent
 * must never be one of our origin.
 */
const TYPES: Readonly<Record<string, string>> = {
  aac: "audio/aac",
  avi: "video/x-msvideo",
  flac: "audio/flac",
  m4a: "audio/mp4",
  m4v: "video/mp4",
  mka: "audio/x-matroska",
  mkv: "video/x-matroska",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  mp4: "video/mp4",
  mpeg: "video/mpeg",
  mpg: "video/mpeg",
  oga: "audio/ogg",
  ogg: "audio/ogg",
  ogv: "video/ogg",
  opus: "audio/ogg",
  ts: "video/mp2t",
  wav: "audio/wav",
  webm: "video/webm",
  avif: "image/avif",
  gif: "image/gif",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  md: "text/plain; charset=utf-8",
  nfo: "text/plain; charset=utf-8",
  srt: "text/plain; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  vtt: "text/vtt; charset=utf-8",
};

/** @returns `undefined` for a file that is to be saved and not shown. */
export function mediaType(name: string): string | undefined {
  const ending = /\.([0-9a-z]{1,5})$/i.exec(name)?.[1]?.toLowerCase();
  return ending !== undefined && Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined;
}
