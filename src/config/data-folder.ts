/** The name of a program's folder where the XDG base directory specification puts its data. */
const NAME = "everseed";

/**
 * Chooses the data folder of a hub, in the order: command line, variable, the user's folder for data.
 *
 * @param options.home - The user's home folder.
 * @returns As given, so perhaps relative.
 */
export function dataFolderOf(options: {
  readonly option: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}): string {
  const { option, env, home } = options;
  const dataHome = env["XDG_DATA_HOME"] || `${home}/.local/share`;
  return option ?? env["EVERSEED_DATA_DIR"] ?? `${dataHome}/${NAME}`;
}
