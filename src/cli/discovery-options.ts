import { Option } from "commander";

/** How an option that is on or off is given. */
export type OnOff = "on" | "off";

/** Whether neighbours are looked for (BEP 14). */
export function lsdOption(): Option {
  return new Option(
    "--lsd <on|off>",
    "look for neighbours on the link (default: unless only this machine reaches it)",
  ).choices(["on", "off"]);
}

/** @returns `undefined` when the option is not given. */
export function isOn(given: OnOff | undefined): boolean | undefined {
  return given === undefined ? undefined : given === "on";
}

/** Whether peers tell each other of others (BEP 11). */
export function pexOption(): Option {
  return new Option("--pex <on|off>", "exchange peers with peers (default: on)").choices([
    "on",
    "off",
  ]);
}
