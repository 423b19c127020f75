import { listenTrouble } from "../commands/listening.ts";
import { bodyCut } from "../hub/request-body.ts";
import { draftIdOf } from "../hub/tus-path.ts";
import { openWebServer, type WebServer, type WebServerOptions } from "../platform/web-server.ts";

type Options = Omit<WebServerOptions, "isUpload" | "bodyCut">;

/**
 * Opens the web port of a hub, with the hub's rules for request bodies.
 *
 * @param more - As `openWebServer`; its default timeouts when absent.
 * @throws {CommandError} (rejects) `port-taken`, `not-allowed`, `not-found`.
 */
export async function openHubServer(
  { host, port, proxies, onUnnamedProxy, faults }: Options,
  ...more: Parameters<typeof openWebServer> extends [unknown, ...infer More] ? More : never
): Promise<WebServer> {
  const isUpload = (method: string, path: string): boolean =>
    method === "PATCH" && draftIdOf(path) !== undefined;
  const options = { host, port, proxies, onUnnamedProxy, faults, isUpload, bodyCut };
  try {
    return await openWebServer(options, ...more);
  } catch (error) {
    throw listenTrouble(error, { host, port, setting: "--port or the key port" });
  }
}
