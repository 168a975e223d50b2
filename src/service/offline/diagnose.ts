import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../../cli/command/offline-work.ts';
import { adminKeyFile } from '../../cli/first-admin-key.ts';
import { MASTER_KEY_FILE } from '../../cli/master-keys.ts';
import type { Store } from '../../domain/storage.ts';
import { formatProblems, parseSettings } from '../../settings/parse-settings.ts';
import { diagnoseStore } from './diagnose-store.ts';
import { diagnoseTls } from './diagnose-tls.ts';
import { databaseFile, type OfflineContext, offline, storeToRead } from './offline-context.ts';

// `sallyport doctor`: looks at everything that a start relies on, and at what grows old. It changes nothing; beside a running service the
// embedded store is read as it is at that moment.

const OTHERS = 0o077;
const MIB = 1024 * 1024;
const LITTLE_SPACE = 1024 * MIB;
const NO_SPACE = 100 * MIB;

/** A check that throws is a finding like any other, and the next one goes on. */
export async function* diagnose(env: NodeJS.ProcessEnv): AsyncGenerator<Finding> {
  const parsed = parseSettings(env);
  if (parsed.kind === 'invalid') {
    yield { name: 'settings', status: 'failed', text: formatProblems(parsed.problems).trim() };
    return;
  }
  yield { name: 'settings', status: 'ok', text: 'all of them can be read' };
  for (const text of parsed.warnings) yield { name: 'settings', status: 'warning', text };
  const findings = await offline(env, async (context) => {
    const found: Finding[] = [];
    const collect = async (name: string, check: () => AsyncIterable<Finding>): Promise<void> => {
      try {
        for await (const finding of check()) found.push(finding);
      } catch (error) {
        found.push({ name, status: 'failed', text: error instanceof Error ? error.message : String(error) });
      }
    };
    await collect('data directory', () => diagnoseFiles(context));
    await collect('TLS', () => diagnoseTls(context));
    let store: Store | undefined;
    await collect('store', async function* () {
      store = await openStore(context);
      yield { name: 'store', status: 'ok', text: `${store.kind} answers and keeps its promises` };
    });
    if (store !== undefined) {
      const opened = store;
      await collect('store', () => diagnoseStore(context, opened));
    }
    return found;
  });
  yield* findings;
}

/** Opening MongoDB proves its promises; the ping compares clocks. */
async function openStore(context: OfflineContext): Promise<Store> {
  const store = await storeToRead(context);
  if (store.kind === 'mongodb') await store.ping();
  return store;
}

async function* diagnoseFiles(context: OfflineContext): AsyncGenerator<Finding> {
  const { directory, settings } = context;
  const { mode } = await stat(directory);
  const isOpen = (mode & OTHERS) !== 0 && process.platform !== 'win32';
  yield {
    name: 'data directory',
    status: isOpen ? 'warning' : 'ok',
    text: isOpen ? `${directory} is open to others: chmod 700 ${directory}` : directory,
  };
  if (settings.store.kind === 'sqlite') yield* diagnoseSpace(context);
  yield* diagnoseSecret('master key file', settings.masterKeysFile ?? join(directory, MASTER_KEY_FILE));
  const adminFile = adminKeyFile(settings, directory);
  let isThere = false;
  for await (const finding of diagnoseSecret('admin key file', adminFile)) {
    isThere = true;
    yield finding;
  }
  if (isThere && settings.bootstrapKeyFile === undefined) {
    const text = `${adminFile} holds the first administrator's key in clear: move it into your secret store`;
    yield { name: 'admin key file', status: 'warning', text };
  }
}

async function* diagnoseSpace(context: OfflineContext): AsyncGenerator<Finding> {
  const { bavail, bsize } = await statfs(context.directory);
  const free = bavail * bsize;
  const { size } = await stat(databaseFile(context)).catch(() => ({ size: 0 }));
  const text = `${Math.floor(free / MIB)} MiB are free, the database has ${Math.ceil(size / MIB)} MiB`;
  const status = free < NO_SPACE ? 'failed' : free < LITTLE_SPACE || free < size ? 'warning' : 'ok';
  yield { name: 'disk space', status, text };
}

/** Nothing when there is no such file. */
async function* diagnoseSecret(name: string, path: string): AsyncGenerator<Finding> {
  const mode = await stat(path).then(
    ({ mode: bits }) => bits & 0o777,
    () => undefined,
  );
  if (mode === undefined) return;
  const isOpen = (mode & OTHERS) !== 0 && process.platform !== 'win32';
  const text = isOpen ? `${path} can be read by others: chmod 600 ${path}, and replace the key` : path;
  yield { name, status: isOpen ? 'failed' : 'ok', text };
}
