// Loaded into a command (NODE_OPTIONS): writes down where it connects and sends to, and which names it looks up.
import dgram from "node:dgram";
import dns from "node:dns";
import dnsPromises from "node:dns/promises";
import { appendFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import net from "node:net";

const file = process.env["EVERSEED_TEST_TRACE"]!;

function note(kind: string, what: string): void {
  appendFileSync(file, `${kind} ${what}\n`);
}

function spy(owner: object, name: string, look: (args: readonly unknown[]) => void): void {
  const methods = owner as Record<string, (...args: unknown[]) => unknown>;
  const original = methods[name]!;
  methods[name] = function (this: unknown, ...args: unknown[]) {
    look(args);
    return original.apply(this, args);
  };
}

spy(net.Socket.prototype, "connect", ([first, second]) => {
  // `net.connect` hands on its arguments as one list.
  const options = (Array.isArray(first) ? (first as unknown[])[0] : first) as net.TcpNetConnectOpts;
  if (typeof options === "object") note("connect", `${options.host}:${options.port}`);
  else note("connect", `${String(second)}:${String(options)}`);
});
spy(dgram.Socket.prototype, "send", (args) => {
  const [port, address] = args.slice(1).filter((each) => typeof each !== "function");
  note("send", `${String(address)}:${String(port)}`);
});
for (const name of ["lookup", "resolve", "resolve4", "resolve6", "resolveSrv", "reverse"]) {
  for (const owner of [dns, dnsPromises])
    spy(owner, name, ([host]) => note("lookup", String(host)));
}
syncBuiltinESMExports();
