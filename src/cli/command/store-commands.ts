import type { Command } from 'commander';
import { Fault } from '../../platform/faults.ts';
import { BrokenLogError } from '../../replication/restored-log.ts';
import { StoreOpenError } from '../../store/sqlite/store-open-error.ts';
import { StartFailure } from '../start-failure.ts';
import { consent } from './ask.ts';
import { CommandError } from './command-io.ts';
import { type Kit, local } from './kit.ts';
import type { OnProgress } from './offline-work.ts';
import { createOutput, type Output } from './output.ts';
import { createProgress } from './progress.ts';

interface StoreOptions {
  readonly json?: boolean;
}

/** Defines a command on the store that the settings name. */
export function offline<O extends StoreOptions>(
  kit: Kit,
  parent: Command,
  usage: string,
  description: string,
  run: (output: Output, args: readonly string[], options: O, onProgress: OnProgress) => Promise<void>,
): Command {
  return local<O>(kit, parent, usage, description, async (args, options) => {
    const progress = createProgress(kit.io);
    try {
      await run(createOutput(kit.io, options.json === true), args, options, progress.at);
    } catch (error) {
      progress.end();
      throw storeFailure(error);
    } finally {
      progress.end();
    }
  }).option('--json', 'print JSON');
}

/** `sallyport backup` and `sallyport restore`: the embedded store as a file. */
export function addStoreCommands(kit: Kit, program: Command): void {
  const { io } = kit;
  offline<StoreOptions & { force?: boolean }>(
    kit,
    program,
    'backup <file>',
    'copies the embedded store to a file, also while the service runs; key files are not in it',
    async (output, [file = ''], { force }, onProgress) => {
      const report = await io.offline.backup(file, force === true, onProgress);
      output.plain({ file, ...report }, [`${file}: ${report.bytes} bytes, ${report.entries} log entries checked`]);
    },
  ).option('--force', 'replace a file that is there');
  offline<StoreOptions & { force?: boolean; mark?: boolean; yes?: boolean }>(
    kit,
    program,
    'restore [file]',
    'puts a backup into the data directory; the service must be stopped',
    async (output, [file], { force, mark, yes }, onProgress) => {
      if ((file === undefined) !== (mark === true)) throw new CommandError('name the backup, or give --mark');
      if (file === undefined) {
        await consent(io, 'Begin another history, so that every consistency token from before is refused?', yes);
        await io.offline.markRestored();
        return output.plain({ marked: true }, ['marked: consistency tokens from before are refused']);
      }
      if (force === true) await consent(io, 'Put the backup in place of the store in the data directory?', yes);
      const report = await io.offline.restore(file, force === true, onProgress);
      output.plain(report, [
        `restored ${report.bytes} bytes, ${report.entries} log entries checked`,
        ...(report.kept === undefined ? [] : [`the store before is kept as ${report.kept}`]),
      ]);
      if (report.opens === undefined)
        output.note('no master key is here: give the one that the backup was written under');
    },
  )
    .option('--force', 'although the data directory holds a store, which is kept under another name')
    .option('--mark', 'only mark a database that another program put back (mongorestore), while no service uses it')
    .option('--yes', 'do not ask');
}

function storeFailure(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof StoreOpenError && error.reason === 'IN_USE') {
    return new CommandError('a Sallyport process is using the data directory: stop it, then run this again');
  }
  const isForOperators =
    error instanceof StartFailure || error instanceof StoreOpenError || error instanceof BrokenLogError;
  if (error instanceof Fault && error.code === 'UNAVAILABLE') return new CommandError(error.message, 3);
  if (isForOperators || (error instanceof Error && ('code' in error || 'errcode' in error))) {
    return new CommandError(error.message);
  }
  throw error;
}
