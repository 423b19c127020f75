/** Somebody the tracker can tell from others: a member, by the id of the account, or a device, by the name it has here. */
export type KnownPrincipal =
  | { readonly kind: "member"; readonly id: string }
  | { readonly kind: "device"; readonly id: string };

/** Who asks. What was shown to prove it is no part of it. */
export type Principal = { readonly kind: "nobody" } | KnownPrincipal;

/** Everybody who shows nothing. */
export const NOBODY: Principal = { kind: "nobody" };
