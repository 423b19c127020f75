/** An identity the tracker recognises: a member, by account id, or a device, by its name here. */
export type KnownPrincipal =
  | { readonly kind: "member"; readonly id: string }
  | { readonly kind: "device"; readonly id: string };

/** The identity of an asker, without the credential that proved it. */
export type Principal = { readonly kind: "nobody" } | KnownPrincipal;

/** Everyone who shows no credential. */
export const NOBODY: Principal = { kind: "nobody" };
