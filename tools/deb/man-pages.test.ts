import assert from "node:assert/strict";
import { test } from "node:test";
import { createProgram } from "../../src/cli/program.ts";
import { CONFIG_KEYS } from "../../src/config/config-keys.ts";
import { manPages } from "./man-pages.ts";

const EDITION = { version: "1.2.3", date: "2026-11-30" };
const pages = new Map(
  manPages(await createProgram(), EDITION).map(({ path, text }) => [path, text]),
);

/** A page as a reader sees it, more or less. */
function plain(page: string | undefined): string {
  return page!.replaceAll("\\-", "-").replaceAll("\\&", "").replaceAll("\\e", "\\");
}

test("each command has a page with the words of its help", async () => {
  const program = await createProgram();
  let commands = 0;
  for (const group of program.createHelp().visibleCommands(program)) {
    for (const command of [group, ...group.createHelp().visibleCommands(group)]) {
      const words = command === group ? [group.name()] : [group.name(), command.name()];
      const page = plain(pages.get(`man1/everseed-${words.join("-")}.1`));
      assert.ok(page.includes(`.SH SYNOPSIS\n.B everseed ${words.join(" ")}\n`), words.join(" "));
      for (const { flags } of command.createHelp().visibleOptions(command)) {
        assert.ok(page.includes(`.B ${flags}\n`), `${words.join(" ")} ${flags}`);
      }
      commands += 1;
    }
  }
  assert.ok(commands > 50);
  assert.match(
    plain(pages.get("man1/everseed-get.1")),
    /^\.SH EXAMPLES\n\.nf\n {2}everseed get talks/m,
  );
  assert.match(
    plain(pages.get("man1/vtorrent.1")),
    /^\.B vtorrent\n\[-h\] \[--path PATH\] \[-cname/m,
  );
});

test("everseed.yaml(5) has every key, with its variable", () => {
  const page = plain(pages.get("man5/everseed.yaml.5"));
  for (const { path, variable } of CONFIG_KEYS) {
    assert.ok(page.includes(`.B ${path.join(".")}\n`), path.join("."));
    assert.ok(page.includes(`Variable: ${variable}\n`), variable);
  }
});

test("no word of a page is taken for a request of the formatter", () => {
  const known = /^\.(?:TH|SH|TP|B|BR|nf|fi|br)(?: |$)/;
  for (const [path, text] of pages) {
    for (const line of text.split("\n")) {
      if (/^[.']/.test(line)) assert.match(line, known, path);
      assert.doesNotMatch(line, /\\[^-e&]/, path);
    }
  }
});
