import { readFileSync } from 'node:fs';
import { COMMANDS } from './cli/command/commands.ts';
import { GENERATED, generate } from './cli/generate.ts';
import { type ExitCode, runService } from './cli/run-service.ts';
import { systemRandom } from './platform/random.ts';
import { openService } from './service.ts';
import { helpText } from './settings/help.ts';

/** The process: what its arguments ask for. Resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || (first === 'serve' && rest.length === 0)) return runService(process.env, openService);
  if (rest.length === 0 && (first === '--help' || first === '-h')) return print(helpText());
  if (rest.length === 0 && first === '--version') return print(`${version()}\n`);
  if (COMMANDS.has(first)) return command(args);
  if (first === 'rekey' && (rest.length === 0 || (rest.length === 1 && rest[0] === '--count'))) {
    return rekeyStore(rest.length === 1);
  }
  if (first === 'generate') {
    const secret = rest.length === 1 ? generate(rest[0] ?? '', systemRandom()) : undefined;
    if (secret !== undefined) return print(secret);
    process.stderr.write(`sallyport generate: say what to make: ${GENERATED.join(' or ')}\n`);
    return 2;
  }
  const isCommand = ['serve', 'rekey', '--help', '-h', '--version'].includes(first);
  const what = isCommand ? `argument ${JSON.stringify(rest[0])}` : `command ${JSON.stringify(first)}`;
  process.stderr.write(`sallyport: unknown ${what}; try --help\n`);
  return 2;
}

/** Loaded when asked for: the service needs neither commander nor YAML. */
async function command(args: readonly string[]): Promise<number> {
  const [{ runCommand }, { processIo }, { offlineWork }] = await Promise.all([
    import('./cli/command/run-command.ts'),
    import('./cli/command/process-io.ts'),
    import('./service/offline/offline-work.ts'),
  ]);
  return runCommand(args, processIo(offlineWork(process.env)));
}

async function rekeyStore(onlyCount: boolean): Promise<ExitCode> {
  const { rekey } = await import('./service/rekey.ts');
  return rekey(process.env, onlyCount, {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  });
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return 0;
}

function version(): string {
  const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
