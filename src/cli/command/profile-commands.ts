import type { Command } from 'commander';
import { askSecret } from './ask.ts';
import { CommandError } from './command-io.ts';
import { type Kit, local } from './kit.ts';
import { createOutput } from './output.ts';
import { checkProfileName, type Profile, type Profiles, readProfiles, writeProfiles } from './profiles.ts';
import { createTable } from './table.ts';

interface SetOptions {
  readonly address?: string;
  readonly key?: boolean;
  readonly keyFile?: string;
  readonly tenant?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly certKeyFile?: string;
  readonly plaintext?: boolean;
}

/** `sallyport profile ...`: services by name in a file of the user's own. */
export function addProfileCommands(kit: Kit, program: Command): void {
  const { io } = kit;
  const profile = program.command('profile').description('services by name, in a file of your own');
  local<{ json?: boolean }>(kit, profile, 'list', 'all profiles; keys are not shown', async (_, { json }) => {
    const { current, profiles } = await readProfiles(io);
    const output = createOutput(io, json === true);
    const table = createTable(['CURRENT', 'NAME', 'ADDRESS', 'TENANT', 'KEY'], io.terminal.columns, (line) =>
      io.out(`${line}\n`),
    );
    for (const [name, { key, ...shown }] of Object.entries(profiles)) {
      if (output.isJson) output.plain({ name, current: name === current, ...shown, holdsKey: key !== undefined }, []);
      const held = key === undefined ? (shown.key_file ?? '') : 'in the file';
      table.add([name === current ? '*' : '', name, shown.address ?? '', shown.tenant ?? '', held]);
    }
    if (!output.isJson) table.end();
  }).option('--json', 'print JSON, one object per line');
  local<SetOptions>(
    kit,
    profile,
    'set <name>',
    'makes a profile or changes what is given of it',
    async ([name = ''], options) => {
      checkProfileName(name);
      const before = await readProfiles(io);
      const changed = await changedProfile(kit, before.profiles[name] ?? {}, options);
      if (changed.address === undefined) throw new CommandError('a profile needs an --address');
      await writeProfiles(io, {
        ...before,
        current: before.current ?? name,
        profiles: { ...before.profiles, [name]: changed },
      });
      // The first profile becomes the current one, to which a command without --address goes from then on: not in silence.
      if (before.current === undefined) io.err(`${name} is the current profile: commands go to ${changed.address}\n`);
    },
  )
    .option('--address <host:port>', 'the gRPC port of the service')
    .option('--key', 'ask for the API key, or read it from standard input, and keep it in the file')
    .option('--key-file <file>', 'file with the API key')
    .option('--tenant <tenant>', 'the tenant')
    .option('--ca-file <file>', 'certificate authority (PEM) that the service is trusted by')
    .option('--cert-file <file>', 'client certificate (PEM)')
    .option('--cert-key-file <file>', 'private key (PEM) of the client certificate')
    .option('--plaintext', 'permit plaintext to another machine');
  local(kit, profile, 'use <name>', 'the profile that counts when none is named', async ([name = '']) => {
    const before = await readProfiles(io);
    found(before, name);
    await writeProfiles(io, { ...before, current: name });
  });
  local(kit, profile, 'remove <name>', 'forgets a profile', async ([name = '']) => {
    const before = await readProfiles(io);
    found(before, name);
    const { [name]: _, ...profiles } = before.profiles;
    await writeProfiles(io, { ...before, current: before.current === name ? undefined : before.current, profiles });
  });
}

/** A key and a key file exclude each other: the newer one counts. */
async function changedProfile({ io }: Kit, before: Profile, options: SetOptions): Promise<Profile> {
  const { key: hadKey, key_file: hadFile, ...rest } = before;
  const key = options.key === true ? await askSecret(io, 'API key') : undefined;
  const keyFile = options.keyFile;
  const ofKey = {
    ...(hadKey === undefined ? {} : { key: hadKey }),
    ...(hadFile === undefined ? {} : { key_file: hadFile }),
  };
  const { address, tenant, caFile, certFile, certKeyFile, plaintext } = options;
  return {
    ...rest,
    ...(key !== undefined ? { key } : keyFile !== undefined ? { key_file: keyFile } : ofKey),
    ...(address === undefined ? {} : { address }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(caFile === undefined ? {} : { ca_file: caFile }),
    ...(certFile === undefined ? {} : { cert_file: certFile }),
    ...(certKeyFile === undefined ? {} : { cert_key_file: certKeyFile }),
    ...(plaintext === undefined ? {} : { plaintext }),
  };
}

function found({ profiles, path }: Profiles, name: string): void {
  if (!Object.hasOwn(profiles, name)) throw new CommandError(`there is no profile ${name} in ${path}`);
}
