import assert from "node:assert/strict";
import { test } from "node:test";
import { openEndpoint } from "./socket-address.ts";

const TEXTS: readonly (readonly [given: string, canonical: string])[] = [
  ["9.8.7.6", "9.8.7.6"],
  // As sockets of both families see IPv4 (TRK-21).
  ["::ffff:9.8.7.6", "9.8.7.6"],
  ["::ffff:908:706", "9.8.7.6"],
  ["2001:db8::1", "2001:db8::1"],
  ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["fe80::1%eth0", "fe80::1"],
  ["::1.2.3.4", "::102:304"],
  ["::", "::"],
];

for (const [given, canonical] of TEXTS) {
  test(`the system's ${given} is ${canonical}`, () => {
    assert.deepEqual(openEndpoint({ address: given, port: 7 }), { address: canonical, port: 7 });
  });
}
