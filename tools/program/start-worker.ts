import { ChunkLoader } from "./chunk-loader.ts";
import { recordCode } from "./record-code.ts";

/** The chunk that starts, and whether the build itself runs this. The build fills both in. */
declare const ENTRY_CHUNK: string;
declare const IS_RECORDING: boolean;

const loader = new ChunkLoader(import.meta.dirname);
if (IS_RECORDING) recordCode(loader);
loader.load(ENTRY_CHUNK);
