import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../base/bytes.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { SimKeyExchange } from "../sim/sim-key-exchange.ts";
import { NodeKeyExchange } from "./node-key-exchange.ts";

const XA = new Uint8Array(20).fill(0x11);
const XB = new Uint8Array(20).fill(0x22);
const YA =
  "3476dc8d123697fcc69e9121618a08514ffa536506df209ce956ad3cf819f76f3fcebc46f4e8be364ec8f1445b9dbf8a" +
  "9528ca7bfbc89ad13f28137640a2cfd1055d55d5cc6676d18b410e086631309e95fa7b0dae2b8379186b17ad3472c755";
const YB =
  "0816092aa9b6a0bfdd7b86a6bac830dea6c71c4008a1fb53b69dc1c4acd99f8f3cf79d9d9ac411e18b59c0b581469" +
  "12e51d0e508d20064b8633a85e20061823d9284b907b2dd0612884e61e9ebb8c9b462eda2f227491a6082bc58d6a1315c39";
const SECRET =
  "ef037082d79ae7baeddb00b3ba4f24ec8a79c06c927258e89e01c46f8249187e672c919b9ff29abeb97fd230f6302fb1" +
  "21a5bad27c4c34e48722446a121d5e213b13e9eeb6dd23716be80c8a1cf31af29589c5245e74b3b8713d6b229ce05731";

test("keys and secrets are those of the published vectors, whoever's turn it is", () => {
  const exchange = new NodeKeyExchange();
  assert.equal(toHex(exchange.publicKey(XA)), YA);
  assert.equal(toHex(exchange.publicKey(XB)), YB);
  assert.equal(toHex(exchange.sharedSecret(XA, fromHex(YB)!)), SECRET);
  assert.equal(toHex(exchange.sharedSecret(XB, fromHex(YA)!)), SECRET);
});

test("small numbers are padded to 96 bytes on the left", () => {
  const exchange = new NodeKeyExchange();
  const two = new Uint8Array(96).fill(2, -1);
  const five = new Uint8Array(20).fill(5, -1);
  assert.equal(toHex(exchange.publicKey(five)), toHex(new Uint8Array(96).fill(32, -1)));
  assert.equal(toHex(exchange.sharedSecret(five, two)), toHex(new Uint8Array(96).fill(32, -1)));
});

test("it computes what whole numbers of the language give", () => {
  const [exchange, other] = [new NodeKeyExchange(), new SimKeyExchange()];
  const random = seededRandom(9);
  for (let round = 0; round < 20; round += 1) {
    const [a, b] = [random.bytes(20), random.bytes(20)];
    const publicKey = exchange.publicKey(a);
    assert.equal(toHex(publicKey), toHex(other.publicKey(a)));
    const secret = exchange.sharedSecret(b, publicKey);
    assert.equal(toHex(secret), toHex(other.sharedSecret(b, publicKey)));
  }
});
