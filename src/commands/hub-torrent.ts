import { CommandError } from "./command-error.ts";

/**
 * Reads the address of a torrent on a hub: its page, its .torrent file or its place in the API.
 *
 * @throws {CommandError} `bad-plan` for an address of no torrent.
 */
export function torrentAtHub(url: string): { readonly id: string; readonly base: string } {
  const path = URL.canParse(url) ? new URL(url).pathname : "";
  const id = /^\/(?:t|api\/v1\/torrents)\/([0-9a-z]{1,32})(?:\.torrent|\/.*)?$/.exec(path)?.[1];
  if (id === undefined || !/^https?:/i.test(url)) {
    throw new CommandError("bad-plan", `${url} is not the address of a torrent on a hub.`, {
      subject: url,
      hint: "the address of its page, as everseed publish prints it: https://hub.example/t/ID/NAME.",
    });
  }
  return { id, base: new URL(url).origin };
}
