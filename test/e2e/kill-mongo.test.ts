import { join } from 'node:path';
import { systemClock } from '../../src/platform/clock.ts';
import { systemRandom } from '../../src/platform/random.ts';
import { openMongoStore } from '../../src/store/mongo/open-mongo-store.ts';
import { withMongo } from '../support/mongo-service.ts';
import { tempDir } from '../support/temp-dir.ts';
import { killService } from './kill/kill-service.ts';

await withMongo('kill -9 on MongoDB', (withPlace) => {
  withPlace(
    'kill -9 in the middle of mixed writes loses nothing acknowledged and leaves nothing half done on MongoDB',
    async (t, { uri, database, settings }) => {
      using dir = tempDir();
      const store = await openMongoStore({ uri, database, clock: systemClock(), random: systemRandom() });
      try {
        await killService(t, { dataDir: join(dir.path, 'data'), env: settings(), look: (at) => at(store) }, 2);
      } finally {
        await store.close();
      }
    },
  );
});
