import { ChunkLoader } from "./chunk-loader.ts";
import { recordCode } from "./record-code.ts";

/** Which chunk begins, and whether the build runs this itself. The build writes them in. */
declare const ENTRY_CHUNK: string;
declare const IS_RECORDING: boolean;

const loader = new ChunkLoader(import.meta.dirname);
if (IS_RECORDING) recordCode(loader);
loader.load(ENTRY_CHUNK);
