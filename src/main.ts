import { readFileSync } from 'node:fs';
import { COMMANDS } from './cli/command/commands.ts';
import { lateOfflineWork } from './cli/command/offline-work.ts';
import type { ExitCode } from './cli/run-service.ts';

/**
 * The process: what its arguments ask for. Resolves with the exit code. Each is loaded when it is asked for: a command is quick to start because
 * it leaves the service alone, and the service needs neither commander nor YAML.
 */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || (first === 'serve' && rest.length === 0)) return serve();
  if (rest.length === 0 && (first === '--help' || first === '-h')) return help();
  if (rest.length === 0 && first === '--version') return print(`${version()}\n`);
  if (COMMANDS.has(first)) return command(args);
  if (first === 'rekey' && (rest.length === 0 || (rest.length === 1 && rest[0] === '--count'))) {
    return rekeyStore(rest.length === 1);
  }
  if (first === 'generate') return generateSecret(rest);
  const isCommand = ['serve', 'rekey', '--help', '-h', '--version'].includes(first);
  const what = isCommand ? `argument ${JSON.stringify(rest[0])}` : `command ${JSON.stringify(first)}`;
  process.stderr.write(`sallyport: unknown ${what}; try --help\n`);
  return 2;
}

async function serve(): Promise<ExitCode> {
  const [{ runService }, { openService }] = await Promise.all([import('./cli/run-service.ts'), import('./service.ts')]);
  return runService(process.env, openService);
}

async function help(): Promise<ExitCode> {
  const { helpText } = await import('./settings/help.ts');
  return print(helpText());
}

async function generateSecret(args: readonly string[]): Promise<ExitCode> {
  const [{ GENERATED, generate }, { systemRandom }] = await Promise.all([
    import('./cli/generate.ts'),
    import('./platform/random.ts'),
  ]);
  const secret = args.length === 1 ? generate(args[0] ?? '', systemRandom()) : undefined;
  if (secret !== undefined) return print(secret);
  process.stderr.write(`sallyport generate: say what to make: ${GENERATED.join(' or ')}\n`);
  return 2;
}

async function command(args: readonly string[]): Promise<number> {
  const [{ runCommand }, { processIo }] = await Promise.all([
    import('./cli/command/run-command.ts'),
    import('./cli/command/process-io.ts'),
  ]);
  const offlineWork = lateOfflineWork(async () => {
    const work = await import('./service/offline/offline-work.ts');
    return work.offlineWork(process.env);
  });
  return runCommand(args, processIo(offlineWork));
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
