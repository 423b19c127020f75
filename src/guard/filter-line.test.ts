import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress } from "../base/endpoint.ts";
import { readFilterLine } from "./filter-line.ts";

/** What a line says: "first-last", "nothing" or "bad". */
const LINES: readonly (readonly [line: string, says: string])[] = [
  ["", "nothing"],
  ["   \t\r", "nothing"],
  ["# 1.2.3.4", "nothing"],
  ["; 1.2.3.0/24", "nothing"],
  ["// a list", "nothing"],
  // p2p: the description may hold anything.
  ["Some organization:1.0.0.0-1.255.255.255", "1.0.0.0-1.255.255.255"],
  [":1.2.3.4-1.2.3.4", "1.2.3.4-1.2.3.4"],
  ["Bad, Inc: a 10.0.0.1-shop [#7]; 50%:1.2.3.4 - 1.2.3.9", "1.2.3.4-1.2.3.9"],
  ["10.0.0.1 Corp:1.2.3.4-1.2.3.9", "1.2.3.4-1.2.3.9"],
  ["Soci\u00e9t\u00e9 g\u00e9n\u00e9rale:1.2.3.4-1.2.3.9\r", "1.2.3.4-1.2.3.9"],
  ["one address:1.2.3.4", "1.2.3.4-1.2.3.4"],
  ["a network:1.2.3.0/24", "1.2.3.0-1.2.3.255"],
  ["six:2001:db8::-2001:db8::ff", "2001:db8::-2001:db8::ff"],
  ["six: with a colon:2001:db8::1-2001:db8::2", "2001:db8::1-2001:db8::2"],
  // dat of eMule: padded numbers, levels from 128 on are let through.
  ["001.009.096.105 - 001.009.096.105 , 000 , Some host", "1.9.96.105-1.9.96.105"],
  ["000.000.000.000 - 000.255.255.255 , 000 , Bogon", "0.0.0.0-0.255.255.255"],
  ["1.2.3.4-1.2.3.9,127,at the level", "1.2.3.4-1.2.3.9"],
  ["1.2.3.4 - 1.2.3.9 , 128 , allowed", "nothing"],
  ["1.2.3.4 - 1.2.3.9 , 200", "nothing"],
  ["001.000.000.000 , 001.255.255.255 , 100 , Some organization", "1.0.0.0-1.255.255.255"],
  ["192.168.0.0 , 192.168.255.255 , Optionally block my LAN", "192.168.0.0-192.168.255.255"],
  ["1.2.3.4 - 1.2.3.9", "1.2.3.4-1.2.3.9"],
  ["1.2.3.4-1.2.3.9 # why", "1.2.3.4-1.2.3.9"],
  ["2001:db8::1 - 2001:db8::9 , 000 , six", "2001:db8::1-2001:db8::9"],
  // Networks and addresses.
  ["1.2.3.4", "1.2.3.4-1.2.3.4"],
  ["  1.2.3.4/32  ", "1.2.3.4-1.2.3.4"],
  ["1.10.16.0/20 ; SBL256894", "1.10.16.0-1.10.31.255"],
  ["1.2.3.77/24", "1.2.3.0-1.2.3.255"],
  ["0.0.0.0/0", "0.0.0.0-255.255.255.255"],
  ["1.2.3.4 some words", "1.2.3.4-1.2.3.4"],
  ["2001:db8::/33", "2001:db8::-2001:db8:7fff:ffff:ffff:ffff:ffff:ffff"],
  ["2001:DB8::1", "2001:db8::1-2001:db8::1"],
  ["2001:db8::1.2.3.4", "2001:db8::102:304-2001:db8::102:304"],
  ["::ffff:1.2.3.0/120", "1.2.3.0-1.2.3.255"],
  ["::/0", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"],
  // Nonsense.
  ["<html>", "bad"],
  ["a name without a range:", "bad"],
  ["1.2.3", "bad"],
  ["1.2.3.256", "bad"],
  ["1.2.3.4/33", "bad"],
  ["2001:db8::/129", "bad"],
  ["1.2.3.9-1.2.3.4", "bad"],
  ["1.2.3.4-2001:db8::1", "bad"],
  ["0001.2.3.4", "bad"],
  ["12 monkeys", "bad"],
];

for (const [line, says] of LINES) {
  test(`IP filter: ${JSON.stringify(line)} is ${says}`, () => {
    const read = readFilterLine(line);
    const found =
      read.kind === "range"
        ? `${formatAddress(read.first)}-${formatAddress(read.last)}`
        : read.kind;
    assert.equal(found, says);
  });
}
