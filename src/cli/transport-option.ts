import { Option } from "commander";
import { TRANSPORT_MODES } from "../base/transport-mode.ts";

/** What the streams to peers go over. */
export function transportOption(): Option {
  return new Option(
    "--transport <way>",
    "streams to peers over TCP, uTP or both (default: both)",
  ).choices(TRANSPORT_MODES);
}
