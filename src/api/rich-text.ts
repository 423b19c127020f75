/**
 * Formatted text, as a description has it. The type itself is the limit: it has no place for markup, scripts, styles
 * or pictures, and it is output as plain text nodes.
 */
export type RichText = readonly RichBlock[];

export type RichBlock =
  | { readonly kind: "paragraph"; readonly inlines: readonly RichInline[] }
  | { readonly kind: "heading"; readonly level: 3 | 4; readonly inlines: readonly RichInline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: RichText }
  | {
      readonly kind: "list";
      /** Number of the first item; null when items have none. */
      readonly start: number | null;
      readonly items: readonly RichText[];
    }
  | {
      readonly kind: "table";
      readonly head: readonly (readonly RichInline[])[];
      readonly rows: readonly (readonly (readonly RichInline[])[])[];
    }
  | { readonly kind: "rule" };

export type RichInline =
  | string
  | { readonly kind: "strong" | "emphasis" | "deleted"; readonly inlines: readonly RichInline[] }
  | { readonly kind: "code"; readonly text: string }
  /** @property href - Absolute: http, https or magnet. */
  | { readonly kind: "link"; readonly href: string; readonly inlines: readonly RichInline[] }
  | { readonly kind: "break" };
