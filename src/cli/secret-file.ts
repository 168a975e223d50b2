import { constants } from 'node:fs';
import { link, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { StartFailure } from './start-failure.ts';

// Files that hold a secret: mode 0600, complete or absent, on the disk before anybody relies on them.

const MAX_BYTES = 16 * 1024;
/** Names of drafts: the process id, then the final name. */
const DRAFT = /^\.\d+\..+\.new$/;

/** The file's first line that is neither empty nor a comment, or undefined when there is no such file. */
export async function readSecretFile(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new StartFailure(`${path} is larger than ${MAX_BYTES} bytes: it is not a key file.`);
    const lines = (await readFile(path, 'utf8')).split(/\r?\n/).map((line) => line.trim());
    const line = lines.find((each) => each !== '' && !each.startsWith('#'));
    if (line === undefined)
      throw new StartFailure(`${path} holds no key. Restore it, or remove it if it was never used.`);
    return line;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    if (error instanceof StartFailure) throw error;
    throw new StartFailure(`${path} cannot be read (${codeOf(error)}). It must be a file that this user may read.`);
  }
}

/**
 * Writes `text` and a line end to a new file. A kill leaves either no file or the whole one: the text is synced under another name, which
 * is then linked to the final one; of two writers the first wins and both return what is there.
 */
export async function createSecretFile(path: string, text: string): Promise<string> {
  const directory = dirname(path);
  const draft = join(directory, `.${process.pid}.${path.slice(directory.length + 1)}.new`);
  try {
    await rm(draft, { force: true });
    const file = await open(draft, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
    try {
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(draft, path).catch((error: unknown) => {
      if (!isCode(error, 'EEXIST')) throw error;
    });
    await rm(draft, { force: true });
    await syncDirectory(directory);
  } catch (error) {
    throw new StartFailure(
      `${path} cannot be written (${codeOf(error)}). The directory must be writable by this user.`,
    );
  }
  return (await readSecretFile(path)) ?? text;
}

/**
 * Removes what a killed start left of a file that it was making: a second copy of a secret. Only where nobody else can be making one: with the
 * lock of the embedded store held.
 */
export async function removeDrafts(directory: string): Promise<void> {
  const names = await readdir(directory);
  for (const name of names.filter((each) => DRAFT.test(each))) await rm(join(directory, name), { force: true });
}

async function syncDirectory(path: string): Promise<void> {
  // Directories cannot be opened for this on Windows, where the rename is durable by itself.
  if (process.platform === 'win32') return;
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';

function isCode(error: unknown, code: string): boolean {
  return codeOf(error) === code;
}
