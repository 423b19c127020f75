import type { Mutant } from "../mutant.ts";

/** Proxies: what keeps traffic from going around them, and secrets from being told. */
export const mutants: readonly Mutant[] = [
  {
    name: "proxy: the page keeps a login",
    file: "src/daemon/page-proxy.ts",
    from: "if (parseProxyUrl(text).login === undefined) return undefined;",
    to: "if (parseProxyUrl(text)) return undefined;",
    tests: ["test/hub/reach"],
  },
  {
    name: "proxy: the page shows the login that the file gives",
    file: "src/daemon/page-proxy.ts",
    from: "return proxyName(parseProxyUrl(value));",
    to: "return parseProxyUrl(value) && value;",
    tests: ["test/hub/reach"],
  },
  {
    name: "proxy: packets that do not come from the relay are taken",
    file: "src/proxy/socks-datagrams.ts",
    from: "if (from.port === at.port && from.address === at.address) this.#take(bytes);",
    to: "if (from.port === at.port) this.#take(bytes);",
    tests: ["src/proxy/socks-datagrams"],
  },
  {
    name: "proxy: a name is looked up here",
    file: "src/daemon/open-proxy.ts",
    from: "    lookUp: async (host) => [names.of(host)],\n",
    to: "",
    tests: ["test/cli/proxy"],
  },
  {
    name: "proxy: peers are told of bytes that are the proxy's",
    file: "src/proxy/proxied-stream.ts",
    from: "const own = Math.min(bytes, this.#unsentBytes);",
    to: "const own = 0;",
    tests: ["src/proxy/proxied-stream"],
  },
  {
    name: "proxy: the words repeat a URL with a password",
    file: "src/proxy/proxy-url.ts",
    from: 'if (!match) throw new ProxyError("bad-url", `${TAKES} where it wants one.`);',
    to: 'if (!match) throw new ProxyError("bad-url", `${TAKES} where it wants one, not ${text}.`);',
    tests: ["src/proxy/proxy-url"],
  },
];
