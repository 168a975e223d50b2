import { constants } from 'node:fs';
import { access, mkdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { StartFailure } from './start-failure.ts';

/** Makes the data directory (0700) where it is absent and checks that it can be used; returns its absolute path. */
export async function prepareDataDirectory(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    await mkdir(absolute, { recursive: true, mode: 0o700 });
    if (!(await stat(absolute)).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
    await access(absolute, constants.R_OK | constants.W_OK | constants.X_OK);
    return absolute;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    throw new StartFailure(
      `SALLYPORT_DATA_DIR: ${absolute} cannot be used (${code}). Give a directory that this user may write, or one that can be made.`,
    );
  }
}
