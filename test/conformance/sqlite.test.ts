import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DATABASE_FILE, openSqliteStore } from '../../src/store/sqlite/open-sqlite-store.ts';
import type { StartWriter } from '../../src/store/sqlite/write-queue.ts';
import { tempDir } from '../support/temp-dir.ts';
import { storeSuite } from './store-suite.ts';

storeSuite({
  name: 'sqlite',
  open: async (parts) => {
    const directory = tempDir();
    const lossy = lossyWriter();
    const options = { ...parts, directory: directory.path, wrapWriter: lossy.wrap };
    let store = await openSqliteStore(options);
    return {
      store,
      loseNextAnswer: lossy.loseNextAnswer,
      reopen: async () => {
        await store.close();
        store = await openSqliteStore(options);
        return store;
      },
      damageCheckpoint: async (stream) => {
        using database = new DatabaseSync(join(directory.path, DATABASE_FILE));
        database
          .prepare(
            `UPDATE checkpoint_chunk SET body = body || '!'
             WHERE number = 1 AND nonce = (SELECT nonce FROM checkpoint WHERE stream = ?)`,
          )
          .run(stream);
      },
      dispose: async () => {
        await store.close();
        directory[Symbol.dispose]();
      },
    };
  },
});

/** A writer thread that commits one batch when told, and then ends without a word. */
function lossyWriter() {
  let armed = false;
  const wrap =
    (start: StartWriter): StartWriter =>
    (events) => {
      const writer = start({
        answered: (answers) => {
          if (!armed) return events.answered(answers);
          armed = false;
          writer.send('close');
        },
        ended: events.ended,
      });
      return writer;
    };
  return {
    wrap,
    loseNextAnswer: () => {
      armed = true;
    },
  };
}
