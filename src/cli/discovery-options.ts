import { Option } from "commander";

/** How an option that is on or off is given. */
export type OnOff = "on" | "off";

/** Whether peers tell each other of others (BEP 11). */
export function pexOption(): Option {
  return new Option("--pex <on|off>", "exchange peers with peers (default: on)").choices([
    "on",
    "off",
  ]);
}
