import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { type KilledPlace, killService } from './kill/kill-service.ts';

test('kill -9 in the middle of mixed writes loses nothing acknowledged and leaves nothing half done on SQLite', async (t) => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  // At a copy: the directory belongs to one process at a time, and nothing is written while it is looked at.
  const look: KilledPlace['look'] = async (at) => {
    using copy = tempDir();
    await cp(dataDir, copy.path, { recursive: true });
    const store = await openSqliteStore({ directory: copy.path, clock: systemClock(), random: systemRandom() });
    try {
      return await at(store);
    } finally {
      await store.close();
    }
  };
  await killService(t, { dataDir, env: {}, look }, 1);
});
