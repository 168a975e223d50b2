import { Command, CommanderError } from 'commander';
import { CommandError, type CommandExit, type CommandIo } from './command-io.ts';
import { completionScript, SHELLS, type Word } from './completion.ts';
import { bare, marked } from './dashed-ids.ts';
import { type Kit, local } from './kit.ts';
import { loadNouns } from './nouns.ts';
import { printableLines } from './printable.ts';

/** Carries out a command other than serving. Never throws for what a user can mend. */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<CommandExit> {
  let code: CommandExit = 0;
  const kit: Kit = {
    io,
    done: (result) => {
      code = result;
    },
  };
  const program = createProgram(kit);
  for (const add of await loadNouns(args[0])) add(kit, program);
  addCompletion(kit, program);
  try {
    await program.parseAsync(marked(args, program), { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const failure = asCommandError(error);
    io.err(`sallyport: ${printableLines(failure.message)}\n`);
    return failure.exit;
  }
}

/** What the system says of a file or a pipe is for the user; anything else that is thrown is a mistake of ours. */
function asCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  const isOfSystem = error instanceof Error && 'code' in error && /^E[A-Z]+$/.test(String(error.code));
  if (isOfSystem) return new CommandError(error.message);
  throw error;
}

function createProgram(kit: Kit): Command {
  const { io } = kit;
  // Commander writes and exits by itself otherwise; commands inherit both.
  return new Command('sallyport')
    .description('Ask, manage and look after a Sallyport service.')
    .exitOverride()
    .configureOutput({
      writeOut: io.out,
      writeErr: io.err,
      outputError: (text, write) => write(bare(text).replace(/^error: /, 'sallyport: ')),
    })
    .showHelpAfterError('(--help tells more)');
}

function addCompletion(kit: Kit, program: Command): void {
  const description = `prints a completion script for ${SHELLS.join(', ')}`;
  local(kit, program, 'completion <shell>', description, async ([shell = '']) => {
    kit.io.out(completionScript(program, shell, OF_MAIN));
  });
}

/** What main answers to itself. */
const OF_MAIN: readonly Word[] = [
  { name: 'serve', description: 'runs the service' },
  { name: 'generate', description: 'prints a fresh secret' },
  { name: 'rekey', description: 'seals everything under the first master key' },
];
