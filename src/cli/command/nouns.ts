import type { Command } from 'commander';
import type { Kit } from './kit.ts';

/** Defines the commands of one file. */
export type AddCommands = (kit: Kit, program: Command) => void;

/** First words, and the file that defines what follows them. In the order of the help. */
const NOUNS: readonly (readonly [words: readonly string[], load: () => Promise<AddCommands>])[] = [
  [['user'], async () => (await import('./user-commands.ts')).addUserCommands],
  [['key'], async () => (await import('./key-commands.ts')).addKeyCommands],
  [['grant'], async () => (await import('./grant-commands.ts')).addGrantCommands],
  [['policy', 'check'], async () => (await import('./policy-command-line.ts')).addPolicyCommands],
  [['session'], async () => (await import('./session-commands.ts')).addSessionCommands],
  [['audit'], async () => (await import('./audit-commands.ts')).addAuditCommands],
  [['jwks'], async () => (await import('./jwks-commands.ts')).addJwksCommands],
  [['tenant'], async () => (await import('./tenant-commands.ts')).addTenantCommands],
  [['provider'], async () => (await import('./provider-commands.ts')).addProviderCommands],
  [['profile'], async () => (await import('./profile-commands.ts')).addProfileCommands],
  [['backup', 'restore'], async () => (await import('./store-commands.ts')).addStoreCommands],
  [['export', 'import', 'doctor', 'admin'], async () => (await import('./tool-commands.ts')).addToolCommands],
];

/** Those of the first word alone, so that a command starts without the others; all of them where it is none of these: for completion and help. */
export async function loadNouns(first: string | undefined): Promise<readonly AddCommands[]> {
  const named = NOUNS.filter(([words]) => first !== undefined && words.includes(first));
  return Promise.all((named.length > 0 ? named : NOUNS).map(([, load]) => load()));
}
