import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The part of package.json that this file uses. */
interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

/** It states its licence only in its readme. */
const LICENCES_ELSEWHERE: Readonly<Record<string, string>> = { "combine-errors": "MIT" };

const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
`;

const ISC = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted,
provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF
THIS SOFTWARE.
`;

/** The texts of licences that packages name and do not include. */
const LICENCE_TEXTS: Readonly<Record<string, string>> = { MIT, ISC };

/**
 * The licences of the packages in the bundle, which must accompany every copy.
 *
 * @param packages - Their folders, below `root`.
 */
export async function packageNotices(root: string, packages: readonly string[]): Promise<string> {
  const parts = await Promise.all(packages.map((folder) => noticeOf(path.join(root, folder))));
  return `Everseed contains these packages.\n\n${parts.join("\n")}`;
}

/** @throws When the licence is unknown: a package that we may not distribute must not be bundled. */
async function noticeOf(folder: string): Promise<string> {
  const text = await readFile(path.join(folder, "package.json"), "utf8");
  const { name, version, license, author } = JSON.parse(text) as PackageJson;
  const licence = license ?? LICENCES_ELSEWHERE[name];
  const files = (await readdir(folder)).filter((file) => LICENCE_FILE.test(file)).toSorted();
  const texts = await Promise.all(files.map((file) => readFile(path.join(folder, file), "utf8")));
  if (texts.length === 0) {
    const words = LICENCE_TEXTS[licence ?? ""];
    if (words === undefined) throw new Error(`${name} has no licence file, nor one of known words`);
    const holder = typeof author === "object" ? author.name : author;
    texts.push(`Copyright (c) ${holder ?? `the authors of ${name}`}`, words);
  }
  const line = "-".repeat(78);
  const title = `${name} ${version} (${licence ?? "see below"})`;
  return [line, title, line, "", ...texts, ""].join("\n");
}
