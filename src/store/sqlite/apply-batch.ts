import type { DatabaseSync } from 'node:sqlite';
import { documentWrites } from './apply-document.ts';
import { ledgerWrites } from './apply-ledger.ts';
import { logWrites } from './apply-log.ts';
import { reasonOf, resultCode } from './database.ts';
import type { Answer, Outcome, Write } from './write.ts';

// Result codes of https://sqlite.org/rescode.html that the surroundings cause, not the code.
const SURROUNDINGS: ReadonlyMap<number, string> = new Map([
  [5, 'the database file is locked by another program'],
  [6, 'the database file is locked by another program'],
  [7, 'the store is out of memory'],
  [8, 'the database file cannot be written'],
  [10, 'the disk of the data directory failed'],
  [11, 'the database file is damaged'],
  [13, 'the disk of the data directory is full'],
  [14, 'the database file cannot be opened'],
  [26, 'the database file is damaged'],
]);

/**
 * Makes the function that commits a batch: all of it in one transaction, answered in order once it is on the disk. Where a member
 * fails, the transaction is rolled back and each member gets one of its own, so that it fails alone.
 */
export function batchApplier(database: DatabaseSync): (writes: readonly Write[]) => readonly Answer[] {
  const apply = applier(database);
  const begin = database.prepare('BEGIN IMMEDIATE');
  const commit = database.prepare('COMMIT');

  const applyBatch = (writes: readonly Write[]): readonly Answer[] => {
    try {
      begin.run();
    } catch (error) {
      // Nobody's fault among the members, and waiting for the lock once per member would stop the queue for minutes.
      return writes.map(() => failure(error));
    }
    try {
      const outcomes = writes.map(apply);
      commit.run();
      return outcomes;
    } catch (error) {
      rollBack(database);
      const [only] = writes;
      if (writes.length === 1 && only !== undefined) return [failure(error)];
      return writes.flatMap((write) => applyBatch([write]));
    }
  };
  return applyBatch;
}

function applier(database: DatabaseSync): (write: Write) => Outcome {
  const documents = documentWrites(database);
  const log = logWrites(database);
  const ledger = ledgerWrites(database);
  return (write) => {
    switch (write.kind) {
      case 'insert':
        return documents.insert(write.columns, write.now);
      case 'replace':
        return documents.replace(write.columns, write.expectedVersion, write.now);
      case 'remove':
        return documents.remove(write.collection, write.tenant, write.id, write.expectedVersion, write.now);
      case 'touch':
        return documents.touch(write.collection, write.marks, write.now);
      case 'sweepDocuments':
        return documents.sweep(write.upTo, write.limit);
      case 'append':
        return log.append(write);
      case 'compact':
        return log.compact(write);
      case 'chunk':
        return log.chunk(write);
      case 'manifest':
        return log.manifest(write);
      case 'dropChunks':
        return log.dropChunks(write);
      case 'count':
        return ledger.count(write);
      case 'forget':
        return ledger.forget(write);
      case 'sweepCounters':
        return ledger.sweepCounters(write);
      case 'audit':
        return ledger.audit(write);
      case 'prune':
        return ledger.prune(write);
      case 'pseudonymize':
        return ledger.pseudonymize(write);
      case 'beat':
        return ledger.beat(write);
    }
  };
}

function rollBack(database: DatabaseSync): void {
  // SQLite has already rolled back by itself after some errors (a full disk among them).
  if (database.isTransaction) database.exec('ROLLBACK');
}

function failure(error: unknown): Answer {
  const known = SURROUNDINGS.get(resultCode(error));
  return { kind: 'failed', unavailable: known !== undefined, message: known ?? reasonOf(error) };
}
