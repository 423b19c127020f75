/** A file of the pages, as the build made it. */
export interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The same, compressed once. */
  readonly gzip: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Answers for the files of the pages: a fixed map, so that no path of a request ever becomes a path on
 * disk (HUB-6). Names change with content, so browsers keep them for good.
 */
export function assetResponse(asset: Asset, request: Request): Response {
  const headers = new Headers({
    "content-type": asset.type,
    "cache-control": "public, max-age=31536000, immutable",
    vary: "accept-encoding",
  });
  const gzip = asset.gzip && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  const bytes = gzip ? asset.gzip : asset.bytes;
  if (gzip) headers.set("content-encoding", "gzip");
  headers.set("content-length", String(bytes.length));
  return new Response(request.method === "HEAD" ? null : bytes, { headers });
}
