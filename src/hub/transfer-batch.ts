import type { z } from "@hono/zod-openapi";
import type {
  TransferBatchResult,
  transferBatchSchema,
  transferEditSchema,
} from "../api/transfers.ts";
import type { TransferEdit } from "../transfers/transfer-edits.ts";
import type { Transfers } from "../transfers/transfers.ts";
import { asRefusal, type RefusedError } from "./problems.ts";
import { badBody } from "./request-body.ts";

type Batch = z.output<typeof transferBatchSchema>;

/** Transfers of a batch that are worked on at the same time. */
const AT_ONCE = 8;

/**
 * Gives the same command to many transfers.
 *
 * @returns Those that refuse it, and why; the others are done.
 * @throws {RefusedError} (rejects) Before anything is done, when the command lacks what it needs.
 */
export async function carryOut(
  service: Transfers,
  batch: Batch,
): Promise<TransferBatchResult["refused"]> {
  const { command, content = false } = batch;
  const edit = batch.edit && editOf(batch.edit);
  if (command === "edit" && !edit) throw noEdit();
  const run = async (id: string): Promise<void> => {
    if (command === "edit") await service.edit(id, edit!);
    else if (command === "remove") await service.remove(id, content);
    else await service[command](id);
  };
  const refused: TransferBatchResult["refused"][number][] = [];
  const ids = [...new Set(batch.ids)].values();
  const work = async (): Promise<void> => {
    for (const id of ids) {
      try {
        await run(id);
      } catch (error) {
        const refusal = asRefusal(error);
        if (!refusal) throw error;
        refused.push({ id, code: refusal.code, message: refusal.message });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return refused;
}

/** An edit of the API as the service takes it. */
export function editOf(input: z.output<typeof transferEditSchema>): TransferEdit {
  const { downLimit, upLimit, ...rest } = input;
  return { ...rest, downBytesPerSecond: downLimit, upBytesPerSecond: upLimit };
}

function noEdit(): RefusedError {
  return badBody("The command edit needs the field edit.");
}
