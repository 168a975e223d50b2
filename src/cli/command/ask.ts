import { CommandError, type CommandIo } from './command-io.ts';

// What is asked of the person at the keyboard: consent to what cannot be taken back, and secrets, which are never arguments.

/** Ends the command unless somebody says yes; without a terminal only --yes does. */
export async function consent(io: CommandIo, question: string, isGiven: boolean | undefined): Promise<void> {
  if (isGiven === true) return;
  if (!io.terminal.canAsk) throw new CommandError(`${question} Nobody can be asked here: say so with --yes`);
  const answer = await io.terminal.ask(`${question} [y/N] `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new CommandError('nothing was done', 1);
}

/** A secret from the keyboard, without echo, or the next line of standard input. `isNew`: it is asked for twice. */
export async function askSecret(io: CommandIo, what: string, isNew = false): Promise<string> {
  if (!io.terminal.canAsk) {
    const line = await io.terminal.readLine();
    if (line === undefined || line === '')
      throw new CommandError(`the ${what} is expected on standard input, one line`);
    return line;
  }
  const secret = await io.terminal.askSecret(`${what}: `);
  if (secret === '') throw new CommandError(`no ${what} was given`);
  if (isNew && (await io.terminal.askSecret(`${what} again: `)) !== secret)
    throw new CommandError('the two are not the same');
  return secret;
}
