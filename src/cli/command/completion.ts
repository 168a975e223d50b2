import type { Command } from 'commander';
import { CommandError } from './command-io.ts';

// Completion scripts, made of the commands as they are defined: a table of words by what was typed before them.

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A script for the shell's start-up file; `more`: words that come first and are no commands of the program. Throws CommandError for a shell that is not known. */
export function completionScript(program: Command, shell: string, more: readonly Word[] = []): string {
  const [top, ...below] = levelsOf(program);
  const levels = top === undefined ? [] : [{ ...top, commands: [...top.commands, ...more] }, ...below];
  switch (shell) {
    case 'bash':
      return bash(levels);
    case 'zsh':
      return `#compdef sallyport\nautoload -U +X bashcompinit && bashcompinit\n${bash(levels)}`;
    case 'fish':
      return fish(levels);
    default:
      throw new CommandError(`there is no completion for ${JSON.stringify(shell)}; known are ${SHELLS.join(', ')}`);
  }
}

export interface Word {
  readonly name: string;
  readonly description: string;
}

interface Level {
  /** Names of the commands that lead here, without the program's. */
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly { readonly flag: string; readonly description: string }[];
}

function levelsOf(command: Command, path: readonly string[] = []): readonly Level[] {
  const level = {
    path,
    commands: command.commands.map((each) => ({ name: each.name(), description: each.description() })),
    options: command.options.flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ flag: long, description }],
    ),
  };
  return [level, ...command.commands.flatMap((each) => levelsOf(each, [...path, each.name()]))];
}

function bash(levels: readonly Level[]): string {
  const cases = levels.map(({ path, commands, options }) => {
    const names = commands.map(({ name }) => name).join(' ');
    const flags = [...options.map(({ flag }) => flag), '--help'].join(' ');
    return `    '${path.join(' ')}') names='${names}' flags='${flags}' ;;`;
  });
  const known = levels.filter(({ path }) => path.length > 0).map(({ path }) => `'${path.join(' ')}'`);
  return `_sallyport() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path='' word next names='' flags=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    next="\${path:+$path }$word"
    case "$next" in
    ${known.join('|')}) path="$next" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$current" in
  -*) names="$flags" ;;
  esac
  COMPREPLY=($(compgen -W "$names" -- "$current"))
}
complete -o default -F _sallyport sallyport
`;
}

function fish(levels: readonly Level[]): string {
  const lines = levels.flatMap(({ path, commands, options }) => {
    const at =
      path.length === 0
        ? '__fish_use_subcommand'
        : path.map((name) => `__fish_seen_subcommand_from ${name}`).join('; and ');
    const deeper = commands.map(({ name }) => name).join(' ');
    const here = path.length > 0 && deeper !== '' ? `${at}; and not __fish_seen_subcommand_from ${deeper}` : at;
    return [
      ...commands.map(
        ({ name, description }) => `complete -c sallyport -f -n '${here}' -a '${name}' -d '${quoted(description)}'`,
      ),
      ...options.map(
        ({ flag, description }) => `complete -c sallyport -n '${at}' -l '${flag.slice(2)}' -d '${quoted(description)}'`,
      ),
    ];
  });
  return `${lines.join('\n')}\n`;
}

const quoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
