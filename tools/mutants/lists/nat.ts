import type { Mutant } from "../mutant.ts";

const HOSTILE = ["test/nat/hostile-gateways"];
const MAPPER = ["test/nat/port-mapper"];
const PINHOLES = ["test/nat/pinholes"];

/** Routers: what keeps pretenders out, and what a machine at home would miss. */
export const mutants: readonly Mutant[] = [
  {
    name: "nat: pinholes are left open at the end",
    file: "src/nat/pinhole-client.ts",
    from: 'this.#line.call(service, "DeletePinhole", [["UniqueID", id]], () => undefined);',
    to: "",
    tests: PINHOLES,
  },
  {
    name: "nat: a pinhole that the router has forgotten is not missed",
    file: "src/nat/pinhole-client.ts",
    from: 'if (outcome.kind !== "fault" || outcome.code !== NO_SUCH_ENTRY) return;',
    to: "if (outcome) return;",
    tests: PINHOLES,
  },
  {
    name: "nat: a pinhole is asked for anew each time",
    file: "src/nat/pinhole-client.ts",
    from: "held?.id !== undefined && held.port === wish.innerPort",
    to: "held?.id === -1",
    tests: PINHOLES,
  },
  {
    name: "nat: answers of anybody in the network count",
    file: "src/nat/port-mapper.ts",
    from: "if (from.port !== MAPPING_PORT || !this.#isGateway(from.address)) return;",
    to: "if (from.port !== MAPPING_PORT) return;",
    tests: HOSTILE,
  },
  {
    name: "nat: a device may name another machine",
    file: "src/nat/router-url.ts",
    from: "if (!host || formatAddress(host) !== address || ",
    to: "if (!host || ",
    tests: ["src/nat/upnp-words", "test/nat/hostile-gateways"],
  },
  {
    name: "nat: documents may declare entities",
    file: "src/nat/xml-reader.ts",
    from: '      throw refused("it declares something of its own");\n',
    to: '      at = after(text, ">", tagAt + 2);\n',
    tests: ["src/nat/xml-reader"],
  },
  {
    name: "nat: each announced restart is believed at once",
    file: "src/nat/port-mapper.ts",
    from: "Math.max(now + spreadMs, this.#remappedAtMs + RESTART_MS_MIN)",
    to: "now",
    tests: HOSTILE,
  },
  {
    name: "nat: mappings are not renewed",
    file: "src/nat/port-mapper.ts",
    from: "      this.#map(client, held, now);\n",
    to: "",
    tests: MAPPER,
  },
  {
    name: "nat: what is granted too late stays",
    file: "src/nat/pcp-client.ts",
    from: "      this.remove(transport, now);\n",
    to: "",
    tests: MAPPER,
  },
  {
    name: "nat: trackers in the world are told the port inside",
    file: "src/tracker-client/remote-tracker.ts",
    from: "this.#isNear ? swarm.port() : swarm.outerPort()",
    to: "swarm.port()",
    tests: ["src/tracker-client/tracker-client"],
  },
];
