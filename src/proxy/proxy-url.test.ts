import assert from "node:assert/strict";
import { test } from "node:test";
import { ProxyError } from "./proxy-error.ts";
import { parseProxyUrl, proxyName } from "./proxy-url.ts";

const URLS: readonly (readonly [text: string, name: string, login?: readonly [string, string]])[] =
  [
    ["socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"],
    ["SOCKS5H://proxy.example:9050/", "socks5://proxy.example:9050"],
    ["http://[2001:DB8::1]:3128", "http://[2001:db8::1]:3128"],
    ["http://proxy.example:80", "http://proxy.example:80"],
    ["socks5://me:secret@proxy.example:1", "socks5://proxy.example:1", ["me", "secret"]],
    ["socks5://me@proxy.example:1", "socks5://proxy.example:1", ["me", ""]],
    ["http://a%40b:50%25%3A@proxy.example:1", "http://proxy.example:1", ["a@b", "50%:"]],
    ["socks5://:@proxy.example:1", "socks5://proxy.example:1"],
  ];
for (const [text, name, login] of URLS) {
  test(`${text} is the proxy ${name}`, () => {
    const proxy = parseProxyUrl(text);
    assert.equal(proxyName(proxy), name);
    const expected = login && { name: login[0], password: login[1] };
    assert.deepEqual(proxy.login, expected);
  });
}

const NONE = [
  "",
  "127.0.0.1:1080",
  "socks4://127.0.0.1:1080",
  "https://proxy.example:443",
  "socks5://proxy.example",
  "http://proxy.example/",
  "socks5://proxy.example:0",
  "socks5://proxy.example:65536",
  "socks5://[::zz]:1",
  "socks5://[1.2.3.4]x:1",
  "socks5://a:secret@b:c@host:1",
  "socks5://me:secret%@host:1",
  `socks5://me:${"secret".repeat(50)}@host:1`,
  "http://host:1/secret",
  "socks5://ho st:1",
];
for (const text of NONE) {
  test(`house rule 10: ${text.slice(0, 40)} is no proxy, and the words do not repeat it`, () => {
    assert.throws(
      () => parseProxyUrl(text),
      (error) => {
        assert.ok(error instanceof ProxyError && error.code === "bad-url");
        return !error.message.includes("secret");
      },
    );
  });
}
