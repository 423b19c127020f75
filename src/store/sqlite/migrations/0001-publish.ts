import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const STATEMENTS = [
  sql`create table torrents (
    seq integer primary key autoincrement,
    id text not null unique,
    infohash_v1 blob unique,
    infohash_v2 blob unique,
    kind text not null,
    name text not null,
    folder integer not null,
    size integer not null,
    file_count integer not null,
    piece_size integer not null,
    piece_count integer not null,
    private integer not null,
    comment text,
    content_path text not null,
    metainfo_path text not null,
    publisher_id text not null,
    published_at integer not null,
    checked_at integer not null,
    check (infohash_v1 is not null or infohash_v2 is not null)
  ) strict`,
  // The wire form of a v2 torrent: its infohash cut to 20 bytes.
  sql`create index torrents_wire_v2 on torrents (substr(infohash_v2, 1, 20))`,
  // A contentless index: it has the words, while the texts are in the torrent's row and file.
  sql`create virtual table torrents_search using fts5(
    name, words, content = '', contentless_delete = 1, prefix = '1 2 3',
    tokenize = "unicode61 remove_diacritics 2"
  )`,
  sql`create table drafts (
    id text primary key not null,
    owner_id text not null,
    digest blob not null,
    declaration text,
    name text not null,
    folder integer not null,
    kind text not null,
    size integer not null,
    file_count integer not null,
    piece_size integer not null,
    private integer not null,
    durable integer not null,
    state text not null,
    problem text,
    torrent_id text,
    created_at integer not null,
    touched_at integer not null
  ) strict`,
  sql`create unique index drafts_open on drafts (owner_id, digest) where state <> 'published'`,
  sql`create table shared_files (
    pieces_root blob primary key not null,
    path text not null,
    size integer not null,
    mtime_ms real not null
  ) strict, without rowid`,
  sql`create table settings (key text primary key not null, value text not null) strict`,
  sql`create table swarm_totals (
    infohash blob primary key not null,
    completed integer not null
  ) strict, without rowid`,
];

export const publishTables: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    for (const statement of STATEMENTS) await statement.execute(db);
  },
};
