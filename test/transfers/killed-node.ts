import { openStore } from "../../src/store/open-store.ts";
import type { StoredTransfer } from "../../src/store/transfers.ts";
import type { CommandMachine } from "../commands/simulated-world.ts";
import type { NodeRun, TransfersWorld } from "./transfers-world.ts";

/**
 * Kills a node: another machine gets the disk and the database as they are now, and nothing that was only in memory.
 * The old one is cut off.
 *
 * @param damage - What else happens to the disk.
 */
export async function killed(
  world: TransfersWorld,
  { machine, store }: NodeRun,
  damage: (machine: CommandMachine) => void = () => undefined,
): Promise<NodeRun> {
  const other = world.machine();
  for (const path of machine.disk.paths()) {
    other.disk.put(path, machine.disk.find(path)!.bytes.slice());
  }
  damage(other);
  const rows = await store.transfers.after(0, 100);
  const copy = await openStore(":memory:");
  const stored = rows.map((row): StoredTransfer => {
    const { seq: _, ...rest } = row;
    return rest;
  });
  await copy.transfers.insertAll(stored);
  const contents = await store.db.selectFrom("transfer_contents").selectAll().execute();
  await copy.transferContents.add(contents);
  return world.node(other, { store: copy });
}
