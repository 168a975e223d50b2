import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { batchApplier } from '../../../src/store/sqlite/apply-batch.ts';
import { openDatabase, openForWriting, pragma } from '../../../src/store/sqlite/database.ts';
import { NEVER } from '../../../src/store/sqlite/schema.ts';
import type { Write } from '../../../src/store/sqlite/write.ts';
import { tempDir } from '../../support/temp-dir.ts';

test('versions are checked inside the batch: a later member sees what an earlier one wrote', () => {
  using subject = opened();
  const answers = subject.apply([
    insert('a', 'v1'),
    insert('a', 'v2'),
    replace('a', 'v3', 'v1'),
    replace('a', 'v4', 'v1'),
    replace('a', 'v5', 'v3'),
  ]);
  assert.deepEqual(
    answers.map((answer) => answer.kind),
    ['done', 'exists', 'done', 'lost', 'done'],
  );
  assert.deepEqual(subject.versions(), ['v5']);
});

test('a member that fails, fails alone', () => {
  using subject = opened();
  // No caller can send this: it stands for any error of the database that no check foresees.
  const broken = insert('broken', null as unknown as string);
  const answers = subject.apply([insert('a', 'v1'), broken, replace('a', 'v2', 'v1'), insert('b', 'v3')]);
  assert.deepEqual(
    answers.map((answer) => answer.kind),
    ['done', 'failed', 'done', 'done'],
  );
  assert.ok(answers[1]?.kind === 'failed' && !answers[1].unavailable, 'a defect, not the surroundings');
  assert.deepEqual(subject.versions(), ['v2', 'v3']);
});

test('a member that no longer fits on the disk fails alone, as unavailable', () => {
  using subject = opened(60);
  const large = insert('large', 'v2', 'x'.repeat(1_000_000));
  const answers = subject.apply([insert('a', 'v1'), large, insert('b', 'v3')]);
  assert.equal(answers[0]?.kind, 'done');
  assert.deepEqual(answers[1], {
    kind: 'failed',
    unavailable: true,
    message: 'the disk of the data directory is full',
  });
  assert.equal(answers[2]?.kind, 'done');
  assert.deepEqual(subject.versions(), ['v1', 'v3']);
  assert.equal(subject.apply([insert('c', 'v4')])[0]?.kind, 'done', 'and writing goes on');
});

test('a file that another program holds makes every member unavailable at once', () => {
  using subject = opened();
  using other = new DatabaseSync(subject.file);
  other.exec('BEGIN IMMEDIATE');
  subject.writing.exec('PRAGMA busy_timeout = 0');
  const answers = subject.apply([insert('a', 'v1'), insert('b', 'v2')]);
  assert.ok(answers.every((answer) => answer.kind === 'failed' && answer.unavailable));
  other.exec('ROLLBACK');
  assert.equal(subject.apply([insert('a', 'v1')])[0]?.kind, 'done');
});

test('a commit is synchronous: FULL and in the write-ahead log', () => {
  using subject = opened();
  assert.equal(pragma(subject.writing, 'synchronous'), 2);
  assert.deepEqual({ ...subject.writing.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
});

function opened(maxPages = 0) {
  const directory = tempDir();
  const file = join(directory.path, 'x.db');
  const reading = openDatabase(file);
  const writing = openForWriting(file, maxPages);
  return {
    file,
    writing,
    apply: batchApplier(writing),
    versions: () =>
      reading
        .prepare('SELECT version FROM document ORDER BY id')
        .all()
        .map((row) => row['version']),
    [Symbol.dispose]: () => {
      writing.close();
      reading.close();
      directory[Symbol.dispose]();
    },
  };
}

function columns(id: string, version: string, body: string) {
  const keys = JSON.stringify([id]);
  return { collection: 1, tenant: 't', id, version, owner: null, expiresAt: NEVER, pending: 0, keys, body } as const;
}

function insert(id: string, version: string, body = '{}'): Write {
  return { kind: 'insert', columns: columns(id, version, body), now: 1 };
}

function replace(id: string, version: string, expectedVersion: string): Write {
  return { kind: 'replace', columns: columns(id, version, '{}'), expectedVersion, now: 1 };
}
