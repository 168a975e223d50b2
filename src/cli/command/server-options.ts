import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CommandError, type CommandIo } from './command-io.ts';
import { type Profile, readProfiles } from './profiles.ts';

// Where the service is and who calls: from the options, a profile that was named, the environment, the current profile, or the service that
// `npm start` runs in this directory. A key goes only where it was meant for: each comes from the same place as its address, or from a
// place that outranks it.

/** Options of every command that calls the service. */
export interface ServerOptions {
  readonly address?: string;
  readonly keyFile?: string;
  readonly tenant?: string;
  readonly profile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly certKeyFile?: string;
  readonly plaintext?: boolean;
  readonly json?: boolean;
}

/** A service as it will be called. */
export interface ServerTarget {
  /** `host:port`. */
  readonly address: string;
  readonly tls: boolean;
  readonly key: string | undefined;
  readonly tenant: string;
  readonly caFile: string | undefined;
  readonly certFile: string | undefined;
  readonly certKeyFile: string | undefined;
}

const LOCAL_ADDRESS = '127.0.0.1:50051';
const LOCAL_KEY = 'admin.key';

export function withServer(command: Command): Command {
  return command
    .option('--address <host:port>', 'the gRPC port of the service (SALLYPORT_CLIENT_ADDRESS)')
    .option('--key-file <file>', 'file with the API key to call with (or the key in SALLYPORT_CLIENT_API_KEY)')
    .option('--tenant <tenant>', 'the tenant (SALLYPORT_CLIENT_TENANT)')
    .option('--profile <name>', 'a profile of the configuration file')
    .option('--ca-file <file>', 'certificate authority (PEM) that the service is trusted by (SALLYPORT_CLIENT_CA_FILE)')
    .option('--cert-file <file>', 'client certificate (PEM)')
    .option('--cert-key-file <file>', 'private key (PEM) of the client certificate')
    .option('--plaintext', 'permit plaintext to another machine')
    .option('--json', 'print JSON, one object per line');
}

/** Throws CommandError when what was given does not make a service that can be called. */
export async function resolveServer(io: CommandIo, options: ServerOptions): Promise<ServerTarget> {
  const { env } = io;
  const { name, profile, isNamed } = await profileFor(io, options);
  const fromProfile = { address: profile?.address, isProfile: true };
  const fromEnv = { address: env['SALLYPORT_CLIENT_ADDRESS'] || undefined, isProfile: false };
  const places = isNamed ? [fromProfile, fromEnv] : [fromEnv, fromProfile];
  const given = [{ address: options.address, isProfile: false }, ...places].find(
    ({ address }) => address !== undefined,
  );
  const { address, wantsTls } = parseAddress(given?.address ?? LOCAL_ADDRESS);
  const isProfile = given?.isProfile === true;
  const settings: Profile = isProfile ? (profile ?? {}) : {};
  const caFile = options.caFile ?? (isProfile ? settings.ca_file : env['SALLYPORT_CLIENT_CA_FILE'] || undefined);
  const certFile = options.certFile ?? settings.cert_file;
  const isLocal = isLoopback(address);
  const isPlain = options.plaintext === true || settings.plaintext === true;
  if (isPlain && (wantsTls || caFile !== undefined)) throw new CommandError('--plaintext and TLS were both asked for');
  const tls = wantsTls || caFile !== undefined || certFile !== undefined || (!isLocal && !isPlain);
  const keyEnv = isProfile ? undefined : env['SALLYPORT_CLIENT_API_KEY'] || undefined;
  const key = await keyOf(io, options, { name, ...settings }, keyEnv, isLocal && !isProfile);
  if (key === undefined && certFile === undefined) {
    throw new CommandError(
      `there is no API key to call ${address} with: put it in SALLYPORT_CLIENT_API_KEY, or name its file with --key-file`,
    );
  }
  const envTenant = isProfile ? undefined : env['SALLYPORT_CLIENT_TENANT'] || undefined;
  return {
    address,
    tls,
    key,
    tenant: options.tenant ?? settings.tenant ?? envTenant ?? '',
    caFile,
    certFile,
    certKeyFile: options.certKeyFile ?? settings.cert_key_file,
  };
}

async function profileFor(
  io: CommandIo,
  { profile }: ServerOptions,
): Promise<{ readonly name?: string; readonly profile: Profile | undefined; readonly isNamed: boolean }> {
  const { current, profiles, path } = await readProfiles(io);
  const name = profile ?? current;
  if (name === undefined) return { profile: undefined, isNamed: false };
  const found = Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (found === undefined) throw new CommandError(`there is no profile ${name} in ${path}`);
  return { name, profile: found, isNamed: profile !== undefined };
}

/** A comma-separated list and gRPC's `dns:///` are what client libraries take in the same variable; here the first address counts. */
function parseAddress(text: string): { readonly address: string; readonly wantsTls: boolean } {
  const [, scheme = '', rest = ''] = /^(?:(https?|dns|ipv4|ipv6):(?:\/\/\/?)?)?(.*)$/.exec(text.trim()) ?? [];
  const address = (rest.split(',')[0] ?? '').replace(/\/$/, '');
  if (!/^(\[[0-9a-fA-F:.]+\]|[^:/\s]+):\d{1,5}$/.test(address)) {
    throw new CommandError(
      `${JSON.stringify(text)} is no address: give host:port of the gRPC port, for example 127.0.0.1:50051`,
    );
  }
  return { address, wantsTls: scheme === 'https' };
}

/** Undefined: none was given. `isLocal`: the key that `npm start` left in the data directory will do. */
async function keyOf(
  io: CommandIo,
  { keyFile }: ServerOptions,
  profile: Profile & { readonly name: string | undefined },
  fromEnv: string | undefined,
  isLocal: boolean,
): Promise<string | undefined> {
  if (keyFile !== undefined) return readKey(io, keyFile);
  if (profile.key !== undefined) return profile.key;
  if (profile.key_file !== undefined) return readKey(io, profile.key_file, profile.name);
  if (fromEnv !== undefined) return fromEnv.trim();
  if (!isLocal) return undefined;
  return readKey(io, join(io.env['SALLYPORT_DATA_DIR'] || 'data', LOCAL_KEY)).catch(() => undefined);
}

/** `profile` is the one that names the file: somebody who made it long ago may not think of it. */
async function readKey(io: CommandIo, path: string, profile?: string): Promise<string> {
  let text: string;
  try {
    text = await io.readFile(path);
  } catch {
    throw new CommandError(
      profile === undefined
        ? `the API key cannot be read from ${path}; name its file with --key-file`
        : `the API key of profile ${profile} cannot be read from ${path}; name another file with --key-file, ` +
            'or another service with --profile or --address',
    );
  }
  const line = text.split(/\r?\n/).find((each) => each.trim() !== '' && !each.startsWith('#'));
  if (line === undefined) throw new CommandError(`${path} holds no API key`);
  return line.trim();
}

function isLoopback(address: string): boolean {
  const host = address.slice(0, address.lastIndexOf(':')).replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
