/**
 * The scripts that `thermos completion` prints. They only pass the words to `thermos __complete` and
 * show its answer; if it answers nothing, the shell completes files.
 */

/**
 * bash splits the line at COMP_WORDBREAKS, which include `:` and `=`; both are common in task ids and flags. So
 * the words are joined again first: parts without a blank between them are one word.
 */
const BASH = `# bash completion of thermos: source <(thermos completion bash)
_thermos() {
  local line="\${COMP_LINE:0:COMP_POINT}" word i
  local -a words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    if [[ \${#words[@]} -eq 0 || "$line" == [[:space:]]* ]]; then
      line="\${line#"\${line%%[![:space:]]*}"}"
      words+=("")
    fi
    [[ "$line" == "$word"* ]] || word="$line" # the cursor stands inside the word
    words[\${#words[@]}-1]+="$word"
    line="\${line#"$word"}"
  done
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$word")
  done < <(thermos __complete "--word-breaks=$COMP_WORDBREAKS" bash -- "\${words[@]:1}" 2>/dev/null)
  # A task before its path, a directory, or the start of a condition: more of the word follows.
  if [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[:/=] ]]; then
    compopt -o nospace 2>/dev/null
  fi
}
complete -o default -F _thermos thermos
`;

/**
 * A line of the answer is a word, or a word, a tab and a text about it. zsh shows the texts as they are: it expands
 * nothing in what `compadd -d` displays.
 */
const ZSH = `#compdef thermos
# zsh completion of thermos: source <(thermos completion zsh), or save it as _thermos in a directory of $fpath
_thermos() {
  local -a before lines described begun shown
  local line word
  local -i width=0
  before=("\${(@)words[1,CURRENT-1]}")
  shift before
  lines=("\${(@f)$(thermos __complete --describe zsh -- "\${(@Q)before}" "\${(Q)PREFIX}" 2>/dev/null)}")
  lines=("\${(@)lines:#}")
  if (( ! \${#lines} )); then
    _files
    return
  fi
  described=("\${(@M)lines:#*$'\\t'*}")
  lines=("\${(@)lines:#*$'\\t'*}")
  if (( \${#described} )); then
    # One under the other, with the texts in a column; no line is wider than the terminal.
    for word in "\${(@)described%%$'\\t'*}"; do
      (( \${(m)#word} > width )) && width=\${(m)#word}
    done
    for line in "\${described[@]}"; do
      word="\${(mr:width:)\${line%%$'\\t'*}}  \${line#*$'\\t'}"
      shown+=("\${(mr:COLUMNS-1:)word}")
    done
    described=("\${(@)described%%$'\\t'*}")
    compadd -l -d shown -- "\${described[@]}"
  fi
  # A task before its path, a directory, or the start of a condition: more of the word follows.
  begun=("\${(@M)lines:#*[:/=]}")
  lines=("\${(@)lines:#*[:/=]}")
  (( \${#begun} )) && compadd -S '' -- "\${begun[@]}"
  (( \${#lines} )) && compadd -- "\${lines[@]}"
}
if [ "\${funcstack[1]}" = _thermos ]; then
  _thermos "$@"
else
  compdef _thermos thermos
fi
`;

const FISH = `# fish completion of thermos: thermos completion fish | source
function __thermos_complete
    set -l before (commandline -opc)
    set -e before[1]
    set -l current (commandline -ct | string unescape; or commandline -ct)
    set -l found (thermos __complete --describe fish -- $before "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c thermos -f -a '(__thermos_complete)'
`;

export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type Shell = keyof typeof COMPLETION_SCRIPTS;
