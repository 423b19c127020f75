/** The user of a request. A token may do less than its owner. */
export type Actor =
  | { readonly kind: "stranger" }
  | {
      readonly kind: "user";
      readonly id: string;
      readonly name: string;
      readonly role: "admin" | "member";
      /** `session`: signed in with a password. `socket`: may open the control socket, and so owns the node. */
      readonly by: "session" | "publish-token" | "admin-token" | "socket";
    };

export const STRANGER: Actor = { kind: "stranger" };

/** The caller on the control socket. The system lets only the node's user open it; there is no account behind it. */
export const SOCKET_OWNER: Actor = {
  kind: "user",
  id: "owner",
  name: "owner",
  role: "admin",
  by: "socket",
};

export type Action =
  /** See and download the catalogue, a torrent, its files. */
  | "torrent.read"
  /** Declare an upload; see and list one's own uploads. */
  | "torrent.publish"
  /** Send bytes to a draft, look at its progress, cancel it. */
  | "draft.change"
  /** Change a torrent's texts, remove it, restore it; the same while it is being fetched. */
  | "torrent.change"
  /** See, make and revoke one's own tokens. */
  | "token.change"
  /** One's own password and sessions. */
  | "account.change"
  /** See how the hub is reached and who its peers are; change its settings. */
  | "hub.administer";

/** The object of an action, as far as the decision needs it. */
export interface Owned {
  readonly ownerId: string;
}

/**
 * The one decision about permissions (HUB-11). Anything not allowed here is refused.
 *
 * @param object - The object of the action, when it belongs to somebody.
 */
export function can(actor: Actor, action: Action, object?: Owned): boolean {
  if (action === "torrent.read") return true;
  if (actor.kind === "stranger") return false;
  switch (action) {
    case "torrent.publish":
      return actor.role === "admin";
    case "draft.change":
      return object?.ownerId === actor.id && actor.role === "admin";
    case "torrent.change":
      // A stolen publish token must not remove what others published.
      return (
        actor.role === "admin" && (object?.ownerId === actor.id || actor.by !== "publish-token")
      );
    case "token.change":
      // A stolen publish token must not make another token.
      return actor.by === "session" || actor.by === "admin-token";
    case "account.change":
      return actor.by === "session";
    case "hub.administer":
      return actor.role === "admin" && actor.by !== "publish-token";
    default:
      return false;
  }
}
