import { join } from 'node:path';
import { CommandError, type CommandIo } from './command-io.ts';

// ~/.config/sallyport/config.yaml (XDG Base Directory Specification): services by name, and which of them is meant when none is named.
//
//   current: staging
//   profiles:
//     staging: {address: "sallyport.staging.internal:50051", key_file: /run/secrets/sallyport, ca_file: /etc/ssl/internal.pem}

/** Where a service is and how to call it. */
export interface Profile {
  /** `host:port` of the gRPC port. */
  readonly address?: string;
  /** The API key itself; the file must then be closed to others. */
  readonly key?: string;
  readonly key_file?: string;
  readonly tenant?: string;
  readonly ca_file?: string;
  readonly cert_file?: string;
  readonly cert_key_file?: string;
  /** Permits plaintext to another machine. */
  readonly plaintext?: boolean;
}

export interface Profiles {
  readonly path: string;
  readonly current: string | undefined;
  readonly profiles: Readonly<Record<string, Profile>>;
}

const TEXTS = ['address', 'key', 'key_file', 'tenant', 'ca_file', 'cert_file', 'cert_key_file'] as const;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** Bits of a file's mode for others than its owner. */
const OTHERS = 0o077;

/** The file's path, whether or not it is there. */
export function profilesPath({ env }: CommandIo): string {
  const base = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? env['USERPROFILE'] ?? '.', '.config');
  return join(base, 'sallyport', 'config.yaml');
}

/** What the file says; nothing when there is none. Throws CommandError when it is malformed, or holds a key and others may read it. */
export async function readProfiles(io: CommandIo): Promise<Profiles> {
  const path = profilesPath(io);
  const mode = await io.files.mode(path);
  if (mode === undefined) return { path, current: undefined, profiles: {} };
  const text = await io.readFile(path);
  // Where there is no file, as mostly in scripts, its language is not loaded.
  const { parse } = await import('yaml');
  const profiles = parsed(parse, text, path);
  const holdsKey = Object.values(profiles.profiles).some(({ key }) => key !== undefined);
  // Windows has no such bits: every file seems open there.
  if (holdsKey && (mode & OTHERS) !== 0 && process.platform !== 'win32') {
    throw new CommandError(`${path} holds an API key and others may read it: chmod 600 ${path}`);
  }
  return profiles;
}

export async function writeProfiles(io: CommandIo, { path, current, profiles }: Profiles): Promise<void> {
  const value = { ...(current === undefined ? {} : { current }), profiles };
  const { stringify } = await import('yaml');
  await io.files.writePrivately(path, stringify(value, { lineWidth: 0 }));
}

export function checkProfileName(name: string): void {
  if (!NAME.test(name)) throw new CommandError('a profile name is 1 to 64 letters, digits, `.`, `_` or `-`');
}

function parsed(parse: (text: string) => unknown, text: string, path: string): Profiles {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    throw new CommandError(`${path}: ${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}`);
  }
  const { current, profiles = {}, ...others } = membersOf(value, path);
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw new CommandError(`${path}: there is no ${unknown}; known are current and profiles`);
  if (current !== undefined && typeof current !== 'string') throw new CommandError(`${path}: current must be a name`);
  const named = Object.entries(membersOf(profiles, `${path}: profiles`));
  return {
    path,
    current,
    profiles: Object.fromEntries(
      named.map(([name, profile]) => [name, profileOf(profile, `${path}: profile ${name}`)]),
    ),
  };
}

function profileOf(value: unknown, place: string): Profile {
  const { plaintext, ...texts } = membersOf(value, place);
  if (plaintext !== undefined && typeof plaintext !== 'boolean')
    throw new CommandError(`${place}: plaintext is a boolean`);
  for (const [name, text] of Object.entries(texts)) {
    if (!TEXTS.some((known) => known === name)) {
      throw new CommandError(`${place}: there is no ${name}; known are ${TEXTS.join(', ')}, plaintext`);
    }
    if (typeof text !== 'string') throw new CommandError(`${place}: ${name} must be a text`);
  }
  return { ...texts, ...(plaintext === undefined ? {} : { plaintext }) };
}

function membersOf(value: unknown, place: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new CommandError(`${place} must be a map`);
}
