import { Option } from "commander";
import { KIND_DEFAULT, KIND_READERS } from "../api/kinds.ts";

/** `--kind`: says for each choice which programs read it. */
export function kindOption(): Option {
  const words = Object.entries(KIND_READERS).map(([kind, readers]) => `${kind}: ${readers}`);
  return new Option("--kind <kind>", words.join(". "))
    .choices(Object.keys(KIND_READERS))
    .default(KIND_DEFAULT);
}
