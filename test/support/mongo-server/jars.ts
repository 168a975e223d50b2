import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

// mongo-java-server and what it needs, copied by Maven into .cache (git-ignored) once per version of pom.xml.

const POM = join(import.meta.dirname, 'pom.xml');
const CACHE = join(import.meta.dirname, '..', '..', '..', '.cache');

/** The folder of jars, fetched if it is not there yet; or why it cannot be. */
export async function mongoJavaServerJars(): Promise<{ folder: string } | { missing: string }> {
  const name = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex')
    .slice(0, 12);
  const folder = join(CACHE, `mongo-java-server-${name}`);
  if (await exists(folder)) return { folder };
  await mkdir(CACHE, { recursive: true });
  // Two runs may start at once: each fills its own folder, and the rename decides. A folder of the final name is complete.
  const own = await mkdtemp(join(CACHE, 'mongo-java-server-fetch-'));
  try {
    const goal = ['-q', '-B', '-f', POM, 'dependency:copy-dependencies', `-DoutputDirectory=${own}`];
    await promisify(execFile)('mvn', goal, { timeout: 300_000 });
    await rename(own, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
    return { folder };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { missing: 'no mvn on the PATH to fetch mongo-java-server with' };
    const said =
      error instanceof Error && 'stdout' in error ? String(error.stdout).trim().slice(0, 500) : String(error);
    return { missing: `Maven could not fetch mongo-java-server: ${said}` };
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
