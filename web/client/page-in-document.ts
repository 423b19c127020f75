import type { Page } from "../../src/api/pages.ts";

/** @returns The page a document of this hub holds, or undefined when it holds none. */
export function readPage(from: Document): Page | undefined {
  const holder = from.getElementById("page");
  if (holder === null) return undefined;
  // Written by our own hub into our own document: its shape is the renderer's contract.
  return JSON.parse(holder.textContent) as Page;
}

/**
 * Asks the hub for the page at `address` as it is now.
 *
 * @throws {Error} When the hub cannot be reached or answers without a page.
 */
export async function fetchPage(address: string): Promise<Page> {
  const response = await fetch(address, { headers: { accept: "text/html" } });
  const page = readPage(new DOMParser().parseFromString(await response.text(), "text/html"));
  if (page === undefined) throw new Error(`no page at ${address}: ${response.status}`);
  return page;
}
