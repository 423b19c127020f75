import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { startHttpProxy, startSocksProxy } from "../../test/fixtures/fake-proxy.ts";
import { temporaryFolder } from "../../test/fixtures/temporary-folder.ts";
import { NameStandIns } from "../proxy/name-stand-ins.ts";
import { ProxyPlace } from "../proxy/proxy-place.ts";
import { parseProxyUrl } from "../proxy/proxy-url.ts";
import { seededRandom } from "../sim/seeded-random.ts";
import { Simulation } from "../sim/simulation.ts";
import { NodeHttpFetch } from "./http-fetch.ts";
import { directSockets } from "./open-socket.ts";
import { tunnelSockets } from "./tunnel-sockets.ts";

const LIMITS = { timeoutMs: 5_000, bytesMax: 1_000 };
const START = { socks5: startSocksProxy, http: startHttpProxy } as const;

async function throughProxy(port: number, kind: keyof typeof START) {
  const proxy = parseProxyUrl(`${kind}://127.0.0.1:${port}`);
  const names = new NameStandIns(seededRandom(1));
  const place = await ProxyPlace.open({
    proxy,
    resolve: async (host) => [host],
    clock: new Simulation(),
  });
  const openSocket = tunnelSockets({
    proxy,
    place,
    nameOf: (address) => names.nameOf(address),
    direct: directSockets(),
  });
  return (lenient: boolean) =>
    new NodeHttpFetch({
      userAgent: "Everseed/test",
      lenient,
      openSocket,
      lookUp: async (host) => [names.of(host)],
    });
}

function certificateFor(t: TestContext, name: string): { key: Buffer; cert: Buffer } | undefined {
  const folder = temporaryFolder(t, "tunnel-");
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1";
  const names = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
  try {
    const args = [...request.split(" "), ...names, "-keyout", key, "-out", cert];
    execFileSync("openssl", args, { stdio: "ignore" });
  } catch (cause) {
    t.skip(`no openssl to make a certificate with: ${String(cause)}`);
    return undefined;
  }
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

for (const kind of ["socks5", "http"] as const) {
  for (const lenient of [false, true]) {
    const reader = lenient ? "lenient" : "strict";
    test(`WIR-27: ${reader} HTTP and HTTPS go through a ${kind} proxy, and certificates are those of the name`, async (t) => {
      const identity = certificateFor(t, "good.test");
      if (!identity) return;
      const plain = http.createServer((_request, response) => response.end("plain"));
      const secret = https.createServer(identity, (_request, response) => response.end("secret"));
      for (const server of [plain, secret]) {
        server.listen(0, "127.0.0.1");
        await once(server, "listening");
        t.after(() => server.close());
      }
      const [plainPort, secretPort] = [plain, secret].map(
        (server) => (server.address() as AddressInfo).port,
      );
      const names = { "plain.test": plainPort!, "good.test": secretPort!, "bad.test": secretPort! };
      const proxy = await START[kind](t, { names });
      const fetcher = (await throughProxy(proxy.port, kind))(lenient);
      tls.setDefaultCACertificates([identity.cert.toString()]);
      const read = async (url: string): Promise<string> =>
        Buffer.from((await fetcher.get(url, LIMITS)).body).toString();
      assert.equal(await read("http://plain.test/"), "plain");
      assert.equal(await read("https://good.test/"), "secret");
      await assert.rejects(read("https://bad.test/"), { code: "no-reply" });
      await assert.rejects(read("http://gone.test/"), /the proxy did not get through/);
      assert.deepEqual(proxy.connects.slice(0, 3), [
        "plain.test:80",
        "good.test:443",
        "bad.test:443",
      ]);
      proxy.kill();
      await assert.rejects(read("http://plain.test/"), /the proxy cannot be reached/);
    });
  }
}

test("the address that a reply comes from is a stand-in, never the proxy's", async (t) => {
  const plain = http.createServer((_request, response) => response.end("x"));
  plain.listen(0, "127.0.0.1");
  await once(plain, "listening");
  t.after(() => plain.close());
  const names = { "plain.test": (plain.address() as AddressInfo).port };
  const proxy = await startSocksProxy(t, { names });
  for (const lenient of [false, true]) {
    const fetcher = (await throughProxy(proxy.port, "socks5"))(lenient);
    assert.match((await fetcher.get("http://plain.test/", LIMITS)).from, /^24[0-7]\./);
  }
});
