import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import { tempDir } from '../support/temp-dir.ts';
import { killService } from './kill/kill-service.ts';

test('kill -9 in the middle of mixed writes loses nothing acknowledged and leaves nothing half done on SQLite', async (t) => {
  using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const open = () => openSqliteStore({ directory: dataDir, clock: systemClock(), random: systemRandom() });
  await killService(t, { dataDir, env: {}, open }, 1);
});
