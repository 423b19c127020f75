/** The shells that we can complete command lines for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof SHELLS)[number];

/**
 * The script by which a shell learns to complete `everseed`. It asks the program at each press of the key, so that it never
 * differs from `--help`: `completion words` prints `files`, `folders`, `described` or `plain`, then a candidate in each line,
 * with a tab before what it means. The program is the one on the PATH: a file of that name in the current folder is not run.
 */
export function completionScript(shell: Shell): string {
  return { bash: BASH, zsh: ZSH, fish: FISH }[shell];
}

const BASH = String.raw`# bash completion for everseed. Made by: everseed completion bash
_everseed() {
  # Bash cuts words at = and : too. Words without a gap between them are one.
  local line=$COMP_LINE each gap
  local -a words=()
  for each in "\${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    gap=\${line%%"$each"*}
    line=\${line#*"$each"}
    if [ -n "$each" ] && [ -z "$gap" ] && [ "\${#words[@]}" -gt 0 ]; then
      words[\${#words[@]} - 1]+=$each
    else
      words+=("$each")
    fi
  done
  local current=\${words[\${#words[@]} - 1]} kind word says
  local -a found=() meanings=()
  {
    read -r kind
    while IFS=$'\t' read -r word says; do
      found+=("$(printf %q "$word")")
      meanings+=("$says")
    done
  } < <(command everseed completion words -- "\${words[@]:1}" 2>/dev/null)
  case $kind in
    files) compopt -o default ;;
    folders) compopt -o dirnames ;;
  esac
  if [ "$kind" = files ] && [ "\${#found[@]}" -gt 0 ]; then
    local IFS=$'\n'
    found+=($(compgen -f -- "$current"))
    compopt -o filenames
  fi
  # It replaces only what stands behind the last of those characters.
  local tail=$current
  [[ $COMP_WORDBREAKS != *=* ]] || tail=\${tail##*=}
  [[ $COMP_WORDBREAKS != *:* ]] || tail=\${tail##*:}
  local before=\${current%"$tail"}
  COMPREPLY=("\${found[@]#"$before"}")
  # An id says little: while there are several, each is listed with its meaning, unless they are put in by turns.
  if [ "$kind" = described ] && [ "\${#found[@]}" -gt 1 ] && [ "$COMP_TYPE" != 37 ] && [ "$COMP_TYPE" != 42 ]; then
    local at
    for at in "\${!found[@]}"; do COMPREPLY[at]="\${found[at]}  \${meanings[at]}"; done
  fi
}
complete -F _everseed everseed
`.replaceAll("\\${", "${");

const ZSH = String.raw`#compdef everseed
# zsh completion for everseed. Made by: everseed completion zsh
_everseed() {
  local -a lines described
  local line word says
  lines=("\${(@f)$(command everseed completion words -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  for line in "\${(@)lines[2,-1]}"; do
    word=\${line%%$'\t'*}
    says=\${line#*$'\t'}
    described+=("\${word//:/\\:}:$says")
  done
  (( $#described )) && _describe -t words everseed described
  case $lines[1] in
    files) _files ;;
    folders) _files -/ ;;
  esac
}
if [ "$funcstack[1]" = _everseed ]; then
  _everseed "$@"
else
  compdef _everseed everseed
fi
`.replaceAll("\\${", "${");

const FISH = String.raw`# fish completion for everseed. Made by: everseed completion fish
function __everseed_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command everseed completion words -- $words[2..-1] "$current" 2>/dev/null)
    for line in $lines[2..-1]
        echo $line
    end
    switch "$lines[1]"
        case files
            __fish_complete_path "$current"
        case folders
            __fish_complete_directories "$current"
    end
end
complete -c everseed -f -a '(__everseed_complete)'
`;
