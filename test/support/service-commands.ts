import { join } from 'node:path';
import { after, before } from 'node:test';
import type { CommandIo } from '../../src/cli/command/command-io.ts';
import { commandLine } from './command-line.ts';
import { cheapHashes, type ServiceProcess, startService } from './service-process.ts';

// Commands against a started service. One service for all tests of a file: each names what it makes in its own way.

type World = Partial<CommandIo> & { readonly input?: readonly string[] };

/** To be called at the top of a test file. `env`: further settings of the service. */
export function serviceCommands(env: Readonly<Record<string, string>> = {}) {
  const line = commandLine();
  let started: ServiceProcess | undefined;
  before(async () => {
    started = await startService({ env: { ...cheapHashes, ...env } });
  });
  after(async () => {
    await started?.stop('SIGKILL');
    line[Symbol.dispose]();
  });
  const service = (): ServiceProcess => {
    if (started === undefined) throw new Error('the service has not started yet');
    return started;
  };
  const where = (): readonly string[] => [
    ...['--address', service().grpc, '--key-file', join(service().dataDir, 'admin.key')],
  ];
  const runWith = (world: World, ...args: readonly string[]) =>
    line.runWith({ now: () => Date.now(), ...world }, ...args, ...where());
  return {
    ...line,
    service,
    runWith,
    run: (...args: readonly string[]) => runWith({}, ...args),
    /** The lines of JSON that the command prints; throws when it fails. */
    json: async (...args: readonly string[]) => {
      const { code, out, err } = await runWith({}, ...args, '--json');
      if (code !== 0) throw new Error(`exit code ${code}: ${err}`);
      return out
        .split('\n')
        .filter((text) => text !== '')
        .map((text) => JSON.parse(text));
    },
    /** With a key of its own, whose owner was granted nothing, or `role`. */
    asService: async (name: string, role?: string) => {
      const keyFile = `${name}.key`;
      const made = await runWith({}, 'key', 'create', `service:${name}`, '--tenant', 'sallyport', '--out', keyFile);
      if (made.code !== 0) throw new Error(made.err);
      if (role !== undefined) {
        await runWith({}, 'grant', 'add', `service:${name}`, role, 'tenant:default', '--tenant', 'sallyport');
      }
      return (...args: readonly string[]) => line.run(...args, '--address', service().grpc, '--key-file', keyFile);
    },
  };
}
