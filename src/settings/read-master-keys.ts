import { readFile } from 'node:fs/promises';
import { masterKeys } from './forms.ts';
import type { SettingProblem, Settings } from './settings-table.ts';

export type MasterKeysFound =
  /** Base64 or base64url texts of 32 bytes, current first. */
  | { readonly kind: 'found'; readonly keys: readonly string[] }
  | { readonly kind: 'none' }
  | { readonly kind: 'invalid'; readonly problems: readonly SettingProblem[] };

const VARIABLE = 'SALLYPORT_MASTER_KEYS_FILE';
const MAX_FILE_BYTES = 16 * 1024;

/** The master keys that the operator gave, by variable or by file. `none`: the embedded store makes its own. */
export async function readMasterKeys(
  settings: Pick<Settings, 'masterKeys' | 'masterKeysFile'>,
): Promise<MasterKeysFound> {
  if (settings.masterKeys !== undefined) return { kind: 'found', keys: settings.masterKeys };
  if (settings.masterKeysFile === undefined) return { kind: 'none' };
  const text = await readFile(settings.masterKeysFile, 'utf8').catch((error: NodeJS.ErrnoException) => error);
  if (typeof text !== 'string') return invalid(`names a file that cannot be read (${text.code ?? 'unknown error'})`);
  return parseMasterKeyFile(text);
}

/** Keys one per line or comma separated; empty lines and lines that begin with # do not count. */
export function parseMasterKeyFile(text: string): MasterKeysFound {
  if (text.length > MAX_FILE_BYTES) return invalid(`names a file of more than ${MAX_FILE_BYTES} bytes`);
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).join(',');
  if (keys === '') return invalid(`names a file without keys; accepted: ${masterKeys.accepts}`);
  const parsed = masterKeys.schema.safeParse(keys);
  if (parsed.success) return { kind: 'found', keys: parsed.data };
  const what = parsed.error.issues[0]?.message ?? 'is wrong';
  return invalid(`names a file that ${what}; accepted: ${masterKeys.accepts}`);
}

function invalid(text: string): MasterKeysFound {
  return { kind: 'invalid', problems: [{ variable: VARIABLE, text }] };
}
