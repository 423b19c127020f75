import { z } from "@hono/zod-openapi";
import {
  DRAFT_FILES_MAX,
  draftFileSchema,
  draftInputSchema,
  type DraftPieces,
  draftPiecesSchema,
} from "../api/drafts.ts";
import { KNOWN_FILES_MAX } from "../api/source-limits.ts";
import { parseJsonInSteps } from "../base/json-in-steps.ts";
import type { Work } from "../base/work.ts";
import type { Declaration } from "../publish/draft-plan.ts";
import { firstIssue } from "./api-app.ts";
import { badBody } from "./request-body.ts";

/** Files that are checked before other work gets a turn. */
const FILES_PER_STEP = 256;

/** `draftInputSchema` without the schema of the listed files. */
const frameSchema = draftInputSchema.extend({
  files: z.array(z.unknown()).min(1).max(DRAFT_FILES_MAX),
});

const knownFrameSchema = frameSchema.extend({
  files: z.array(z.unknown()).min(1).max(KNOWN_FILES_MAX),
  pieces: draftPiecesSchema,
});

/**
 * Reads the body of a declaration like `draftInputSchema`, but file by file: there may be 200,000.
 *
 * @throws {RefusedError} 400 with the first problem found.
 */
export function* readDeclaration(text: string): Work<Declaration> {
  const value = yield* parseJson(text);
  yield;
  return yield* judge(valid(frameSchema, value, []));
}

/**
 * Reads the question whether content is here, like `knownInputSchema`.
 *
 * @throws {RefusedError} 400 with the first problem found.
 */
export function* readKnownInput(
  text: string,
): Work<{ declaration: Declaration; pieces: DraftPieces }> {
  const value = yield* parseJson(text);
  yield;
  const { pieces, ...frame } = valid(knownFrameSchema, value, []);
  return { declaration: yield* judge(frame), pieces };
}

function* judge(frame: z.infer<typeof frameSchema>): Work<Declaration> {
  const { files, ...rest } = frame;
  const judged: Declaration["files"][number][] = [];
  for (const [index, file] of files.entries()) {
    if (index % FILES_PER_STEP === FILES_PER_STEP - 1) yield;
    judged.push(valid(draftFileSchema, file, ["files", index]));
  }
  return { ...rest, files: judged };
}

function* parseJson(text: string): Work<unknown> {
  try {
    return yield* parseJsonInSteps(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw badBody("Malformed JSON in request body");
  }
}

/** @param at - The place of the value in the body. */
function valid<Value>(
  schema: z.ZodType<Value>,
  value: unknown,
  at: readonly (string | number)[],
): Value {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw firstIssue(result.error, at);
}
