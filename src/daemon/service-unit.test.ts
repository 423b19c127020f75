import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { serviceUnit } from "./service-unit.ts";

const PROGRAM = "/opt/everseed/bin/everseed";
/** CLI-9: what `systemd-analyze security` may count at most. */
const EXPOSURE_MAX = 3;

for (const [whose, isSystem] of [
  ["the system's", true],
  ["the user's", false],
] as const) {
  test(`CLI-9 ${whose} service is closed: systemd-analyze counts 3.0 at most`, (context) => {
    const folder = join(temporaryFolder(context, "everseed-unit-"), "unit");
    mkdirSync(folder);
    const path = join(folder, "everseed.service");
    writeFileSync(path, serviceUnit({ program: PROGRAM, isSystem }));
    const args = ["security", "--offline=true", "--no-pager", path];
    const { stdout, error } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
    if (error) {
      context.skip("systemd-analyze is not here: apt-get install systemd");
      return;
    }
    const counted = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
    assert.ok(counted <= EXPOSURE_MAX, stdout);
  });
}

test("a service is told of when it is ready, watched, and restarted when it fails", () => {
  for (const isSystem of [true, false]) {
    const lines = serviceUnit({ program: PROGRAM, isSystem }).split("\n");
    for (const line of ["Type=notify", "Restart=on-failure", "WatchdogSec=60"]) {
      assert.ok(lines.includes(line), line);
    }
  }
  assert.match(serviceUnit({ program: PROGRAM, isSystem: true }), /^User=everseed$/m);
});

test("HUB-15 a path of any characters is one word of the service's command line", () => {
  const program = '/opt/a "b" $c %d\n[Service]\nUser=root/everseed';
  const unit = serviceUnit({ program, isSystem: false, home: "/srv/my node" });
  assert.match(
    unit,
    /^ExecStart="\/opt\/a \\"b\\" \$\$c %%d\\n\[Service\]\\nUser=root\/everseed" daemon start --foreground --json$/m,
  );
  assert.match(unit, /^Environment="EVERSEED_HOME=\/srv\/my node"$/m);
  assert.doesNotMatch(unit, /^User=/m);
});
