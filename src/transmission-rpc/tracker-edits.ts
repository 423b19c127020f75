import type { TransferTrackers } from "../transfers/transfer-details.ts";
import type { TransferEdit } from "../transfers/transfer-edits.ts";
import type { RpcArguments } from "./rpc-arguments.ts";
import { RpcError } from "./rpc-error.ts";
import { numberedTrackers } from "./tracker-fields.ts";

/**
 * What the arguments change about trackers: `trackerList`, and the older three. Added trackers have tiers of their own, at the
 * end.
 *
 * @throws {RpcError} For numbers of no tracker.
 */
export function trackerEdit(
  trackers: TransferTrackers,
  args: RpcArguments,
): Pick<TransferEdit, "addTrackers" | "removeTrackers"> {
  const numbered = numberedTrackers(trackers.tiers);
  const here = new Set(numbered.map(({ announce }) => announce));
  const add = new Set(args.texts("trackerAdd"));
  const remove = new Set<string>();
  const removeNumber = (id: unknown): void => {
    const found = numbered.find((tracker) => tracker.id === id);
    if (!found) throw new RpcError("bad-request", `There is no tracker ${String(id)}.`);
    remove.add(found.announce);
  };
  for (const id of args.integers("trackerRemove") ?? []) removeNumber(id);
  const replaced = args.list("trackerReplace") ?? [];
  if (replaced.length % 2 !== 0) throw badReplacement();
  for (let place = 0; place < replaced.length; place += 2) {
    const url = replaced[place + 1];
    if (typeof url !== "string") throw badReplacement();
    removeNumber(replaced[place]);
    add.add(url);
  }
  const list = args.text("trackerList");
  if (list !== undefined) {
    const wanted = new Set(list.split(/\s+/).filter((url) => url !== ""));
    for (const url of wanted) add.add(url);
    for (const url of here) if (!wanted.has(url)) remove.add(url);
  }
  const added = [...add].filter((url) => !here.has(url));
  return {
    ...(added.length > 0 && { addTrackers: added }),
    ...(remove.size > 0 && { removeTrackers: [...remove] }),
  };
}

function badReplacement(): RpcError {
  return new RpcError("bad-request", '"trackerReplace" takes numbers, each with a URL after it.');
}
