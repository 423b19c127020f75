import { Option } from "commander";
import { ENCRYPTION_MODES } from "../base/encryption-mode.ts";

/** How the streams to peers are encrypted. */
export function encryptionOption(): Option {
  return new Option("--encryption <mode>", "of streams to peers (default: prefer)").choices(
    ENCRYPTION_MODES,
  );
}
