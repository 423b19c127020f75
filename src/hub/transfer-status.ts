import type { TransferStatus } from "../api/transfers.ts";
import type { TransferParts } from "./control-parts.ts";

/** Folders of content whose disks are looked at. */
const FOLDERS_MAX = 50;

/** What is around the transfers of a node: the limits that hold now, and the disks. */
export async function transferStatus({ service, disks }: TransferParts): Promise<TransferStatus> {
  const { down, up, isAlternative, until } = service.rates;
  const folder = service.downloadFolder;
  const folders = new Set([folder, ...(await service.roots(FOLDERS_MAX))]);
  return {
    rates: { down, up, alternative: isAlternative, until: until ? { ...until } : null },
    folder,
    disks: await disks([...folders]),
  };
}
