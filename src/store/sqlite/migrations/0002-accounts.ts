import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

// The tables that better-auth 1.7.5 with its username, admin and api-key plugins needs. A test compares them.
const STATEMENTS = [
  sql`create table "user" (
    "id" text not null primary key,
    "name" text not null,
    "email" text not null unique,
    "emailVerified" integer not null,
    "image" text,
    "createdAt" date not null,
    "updatedAt" date not null,
    "username" text unique,
    "displayUsername" text,
    "role" text,
    "banned" integer,
    "banReason" text,
    "banExpires" date
  )`,
  sql`create table "session" (
    "id" text not null primary key,
    "expiresAt" date not null,
    "token" text not null unique,
    "createdAt" date not null,
    "updatedAt" date not null,
    "ipAddress" text,
    "userAgent" text,
    "userId" text not null references "user" ("id") on delete cascade,
    "impersonatedBy" text
  )`,
  sql`create index "session_userId_idx" on "session" ("userId")`,
  sql`create table "account" (
    "id" text not null primary key,
    "accountId" text not null,
    "providerId" text not null,
    "userId" text not null references "user" ("id") on delete cascade,
    "accessToken" text,
    "refreshToken" text,
    "idToken" text,
    "accessTokenExpiresAt" date,
    "refreshTokenExpiresAt" date,
    "scope" text,
    "password" text,
    "createdAt" date not null,
    "updatedAt" date not null
  )`,
  sql`create index "account_userId_idx" on "account" ("userId")`,
  sql`create table "verification" (
    "id" text not null primary key,
    "identifier" text not null,
    "value" text not null,
    "expiresAt" date not null,
    "createdAt" date not null,
    "updatedAt" date not null
  )`,
  sql`create index "verification_identifier_idx" on "verification" ("identifier")`,
  sql`create table "apikey" (
    "id" text not null primary key,
    "configId" text not null,
    "name" text,
    "start" text,
    "referenceId" text not null,
    "prefix" text,
    "key" text not null,
    "refillInterval" integer,
    "refillAmount" integer,
    "lastRefillAt" date,
    "enabled" integer,
    "rateLimitEnabled" integer,
    "rateLimitTimeWindow" integer,
    "rateLimitMax" integer,
    "requestCount" integer,
    "remaining" integer,
    "lastRequest" date,
    "expiresAt" date,
    "createdAt" date not null,
    "updatedAt" date not null,
    "permissions" text,
    "metadata" text
  )`,
  sql`create index "apikey_configId_idx" on "apikey" ("configId")`,
  sql`create index "apikey_referenceId_idx" on "apikey" ("referenceId")`,
  sql`create index "apikey_key_idx" on "apikey" ("key")`,
];

export const accountTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
