import { z } from "zod";
import { note } from "./key-note.ts";

const path = () => z.string().startsWith("/").max(4_096);

/** What holds for the torrents that a node keeps for its owner. */
export const transfersSection = z
  .strictObject({
    folder: z
      .string()
      .min(1)
      .max(4096)
      .optional()
      .meta(
        note(
          "Folder for what transfers download; downloads in the data folder when left out.",
          "a path like /srv/downloads",
        ),
      ),
    hardLinks: z
      .boolean()
      .default(false)
      .meta(
        note(
          "A file that is here in another torrent is the same file with a second name, where the disk cannot share blocks. " +
            "Careful: a program that changes one of them changes both.",
          "true or false",
        ),
      ),
    watchFolders: z
      .array(
        z.union([
          path(),
          z.strictObject({
            folder: path(),
            taken: z.enum(["rename", "delete"]).optional(),
            label: z.string().min(1).max(100).optional(),
            into: path().optional(),
            stopped: z.boolean().optional(),
          }),
        ]),
      )
      .max(100)
      .default([])
      .meta(
        note(
          "Folders whose .torrent and .magnet files are added, then renamed to .added; taken: delete deletes them.",
          "a list like [/srv/drop] or [{ folder: /srv/films, label: films, into: /srv/media, taken: delete }]",
        ),
      ),
    whenFinished: z
      .array(z.string().min(1).max(4_096))
      .max(100)
      .default([])
      .meta(
        note(
          "Program with its arguments, run for each finished download, never by a shell. {id}, {name}, {path}, {folder}, {label}, {infohash} and {size} are replaced, and set as EVERSEED_ID and the like.",
          "a list like [/usr/local/bin/done, '{path}']",
        ),
      ),
  })
  .prefault({});

/** A server of the owner that is told what happens to transfers. */
export const webhookSection = z
  .strictObject({
    url: z
      .url({ protocol: /^https?$/ })
      .optional()
      .meta(
        note(
          "Server that is told by POST what happens to transfers; it is tried for a day.",
          "a URL like http://127.0.0.1:9000/everseed",
        ),
      ),
    secretFile: path()
      .optional()
      .meta(
        note(
          "File with one line, which nobody else may read: X-Everseed-Signature is sha256= and the HMAC-SHA-256 of the body with it.",
          "a path like /etc/everseed/webhook",
        ),
      ),
    events: z
      .array(z.enum(["added", "finished", "failed", "removed"]))
      .default(["added", "finished", "failed", "removed"])
      .meta(note("What it is told of.", "a list of added, finished, failed and removed")),
  })
  .prefault({});
