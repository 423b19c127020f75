/** The one who asks. A token may do less than the person it belongs to. */
export type Actor =
  | { readonly kind: "stranger" }
  | {
      readonly kind: "user";
      readonly id: string;
      readonly name: string;
      readonly role: "admin" | "member";
      /** `session`: signed in with a password. */
      readonly by: "session" | "publish-token" | "admin-token";
    };

export const STRANGER: Actor = { kind: "stranger" };

export type Action =
  /** See the catalogue, a torrent, its files; fetch them. */
  | "torrent.read"
  /** Declare an upload; see and list one's own. */
  | "torrent.publish"
  /** Send bytes to a draft, look after it, give it up. */
  | "draft.change"
  /** Change what a torrent is called and said to be, take it back, bring it back; the same while it is fetched. */
  | "torrent.change"
  /** See, make and revoke one's own tokens. */
  | "token.change"
  /** One's own password and sessions. */
  | "account.change";

/** What it is about, as far as the decision needs it. */
export interface Owned {
  readonly ownerId: string;
}

/**
 * The one decision about who may do what (HUB-11). What is not allowed here is refused.
 *
 * @param object - The thing, when it belongs to somebody.
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
      // A stolen publish token must not take back what others published.
      return (
        actor.role === "admin" && (object?.ownerId === actor.id || actor.by !== "publish-token")
      );
    case "token.change":
      // A stolen publish token must not make itself another.
      return actor.by !== "publish-token";
    case "account.change":
      return actor.by === "session";
    default:
      return false;
  }
}
