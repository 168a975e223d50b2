import type { Command } from 'commander';
import type { CommandExit, CommandIo } from './command-io.ts';
import { bare, bareOptions } from './dashed-ids.ts';
import { type ServerOptions, withServer } from './server-options.ts';
import type { ServiceConnection } from './service-connection.ts';

// What every file of commands defines its commands with.

export interface Kit {
  readonly io: CommandIo;
  /** Takes the exit code of the command that ran. */
  readonly done: (code: CommandExit) => void;
}

/** Nothing is 0. */
export type Ending = Promise<CommandExit> | Promise<void>;

/** Defines a command that calls the service. `usage` is its name and arguments; options are added to what is returned. */
export function online<O extends object = ServerOptions>(
  { io, done }: Kit,
  parent: Command,
  usage: string,
  description: string,
  run: (service: ServiceConnection, args: readonly string[], options: O & ServerOptions) => Ending,
): Command {
  const command = parent.command(usage).description(description);
  return withServer(command).action(async () => {
    const options = bareOptions(command.opts<O & ServerOptions>());
    const args = command.args.map(bare);
    // Not to show help, which needs no connection.
    const { withService } = await import('./service-connection.ts');
    done((await withService(io, options, async (service) => run(service, args, options))) ?? 0);
  });
}

/** Defines a command that needs no service. */
export function local<O extends object>(
  { done }: Kit,
  parent: Command,
  usage: string,
  description: string,
  run: (args: readonly string[], options: O) => Ending,
): Command {
  const command = parent.command(usage).description(description);
  return command.action(async () => done((await run(command.args.map(bare), bareOptions(command.opts<O>()))) ?? 0));
}
