import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '../src/cli/generate.ts';
import { systemRandom } from '../src/platform/random.ts';
import { type ServiceProcess, startService } from '../test/support/service-process.ts';

/** The service on its embedded store, or on the MongoDB database of `storeUrl`. */
export function startOn(storeUrl: string): Promise<ServiceProcess> {
  const quiet = { SALLYPORT_LOG_LEVEL: 'warn' };
  if (storeUrl === '') return startService({ env: quiet });
  const dataDir = join(mkdtempSync(join(tmpdir(), 'sallyport-bench-')), 'data');
  mkdirSync(dataDir, { mode: 0o700 });
  const keyFile = join(dataDir, 'admin.key');
  writeFileSync(keyFile, generate('admin-key', systemRandom()) ?? '', { mode: 0o600 });
  const env = {
    ...quiet,
    SALLYPORT_STORE_URL: storeUrl,
    SALLYPORT_MASTER_KEYS: (generate('master-key', systemRandom()) ?? '').trim(),
    SALLYPORT_BOOTSTRAP_KEY_FILE: keyFile,
  };
  return startService({ dataDir, env });
}
