import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { CommandError, diskTrouble } from "../commands/command-error.ts";
import { makeFolders } from "../platform/node-files.ts";

/** A copy of a file, beside it, which a person changes. It goes only when its text is in the file, or is no other. */
export class DraftFile {
  readonly path: string;
  readonly begunWith: string;

  private constructor(path: string, text: string) {
    this.path = path;
    this.begunWith = text;
  }

  /**
   * @param of - The file; its folder is made.
   * @throws {CommandError} (rejects) When it cannot be written.
   */
  static async create(of: string, text: string): Promise<DraftFile> {
    // The ending tells editors what it is.
    const path = `${of.replace(/\.yaml$/, "")}.edit-${process.pid}.yaml`;
    try {
      await makeFolders(dirname(of), 0o700);
      writeFileSync(path, text, { mode: 0o600, flag: "wx" });
    } catch (error) {
      throw diskTrouble(error, `write ${path}`, path);
    }
    return new DraftFile(path, text);
  }

  read(): string {
    return readFileSync(this.path, "utf8");
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }

  get keptWords(): string {
    return `your text is kept in ${this.path}.`;
  }

  /** Somebody else changed the file meanwhile. */
  overtaken(): CommandError {
    return new CommandError("exists", "The file was changed by somebody else meanwhile.", {
      subject: this.path,
      hint: `${this.keptWords} Bring the two together, or edit again.`,
    });
  }
}

/**
 * Runs the person's editor and waits until it ends.
 *
 * @throws {CommandError} (rejects) When there is none, or it fails; the text stays in its file.
 */
export async function openEditor(path: string, signal: AbortSignal): Promise<void> {
  const editor = process.env["VISUAL"] || process.env["EDITOR"] || "vi";
  // It may hold options ("code --wait"): the shell splits it, and never sees the path as anything but one word.
  const child = spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", path], { stdio: "inherit" });
  const [exit, by] = (await once(child, "close", { signal })) as [number | null, string | null];
  if (exit === 0) return;
  throw new CommandError("stopped", `The editor ended with ${by ?? `exit code ${exit}`}.`, {
    subject: path,
    hint: `your text is kept in ${path}. VISUAL or EDITOR names another editor.`,
  });
}
