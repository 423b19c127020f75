import type { Transfer } from "../transfers/transfer.ts";
import type { Transfers } from "../transfers/transfers.ts";
import type { RecentChanges } from "./recent-changes.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";

const PAGE = 500;
const HASH_CHARACTERS = 40;

/** The transfers that a request means by its `ids`. */
export interface Selection {
  /** In the order of adding, or as they were named; nobody else's turn is taken for longer than a page. */
  readonly pages: AsyncIterable<readonly Transfer[]>;
  /** Ids of transfers that were removed lately, where the request asks for what has changed. */
  readonly removed: readonly number[] | undefined;
}

/**
 * Reads `ids`: a number, an infohash, a list of both, or "recently-active". Without it all transfers are meant; unknown ones
 * are left out, because they may have been removed a moment ago.
 *
 * @throws {RpcError} For anything else: "all" must never be meant by mistake.
 */
export function select(args: RpcArguments, transfers: Transfers, recent: RecentChanges): Selection {
  const ids = args.value("ids");
  if (ids === undefined) return { pages: allPages(transfers), removed: undefined };
  if (ids === "recently-active") {
    const changes = recent.ask();
    const pages = changes.ids ? namedPages(transfers, changes.ids) : allPages(transfers);
    return { pages, removed: changes.removed };
  }
  const named: unknown[] = Array.isArray(ids) ? ids : [ids];
  if (!named.every(isName)) {
    throw new RpcError(
      "bad-request",
      '"ids" takes numbers, infohashes, a list of both, or "recently-active".',
    );
  }
  return { pages: namedPages(transfers, named), removed: undefined };
}

/** @returns The ids of what is selected. */
export async function idsOf({ pages }: Selection): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of pages) for (const { id } of page) ids.push(id);
  return ids;
}

function isName(value: unknown): value is number | string {
  if (typeof value === "string") return /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/i.test(value);
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

async function* allPages(transfers: Transfers): AsyncGenerator<readonly Transfer[]> {
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page: Awaited<ReturnType<Transfers["list"]>> = await transfers.list(after, PAGE);
    yield page.transfers;
    after = page.next;
  }
}

async function* namedPages(
  transfers: Transfers,
  names: readonly (number | string)[],
): AsyncGenerator<readonly Transfer[]> {
  const seen = new Set<string>();
  for (let begin = 0; begin < names.length; begin += PAGE) {
    const page: Transfer[] = [];
    for (const name of names.slice(begin, begin + PAGE)) {
      const found = await findNamed(transfers, name);
      if (!found || seen.has(found.id)) continue;
      seen.add(found.id);
      page.push(found);
    }
    yield page;
  }
}

async function findNamed(
  transfers: Transfers,
  name: number | string,
): Promise<Transfer | undefined> {
  if (typeof name === "string") return transfers.find(name.slice(0, HASH_CHARACTERS).toLowerCase());
  const found = (await transfers.list(name - 1, 1)).transfers[0];
  return found?.seq === name ? found : undefined;
}
