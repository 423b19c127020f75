import type { Migration } from "kysely/migration";
import { publishTables } from "./0001-publish.ts";
import { accountTables } from "./0002-accounts.ts";

/** In order, forward only. A released migration is never changed; what comes later is a new one. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-publish": publishTables,
  "0002-accounts": accountTables,
};
