import { prepareDataDirectory } from '../cli/data-directory.ts';
import { obtainMasterKeys } from '../cli/master-keys.ts';
import type { ExitCode, ServiceContext } from '../cli/run-service.ts';
import { StartFailure } from '../cli/start-failure.ts';
import { createKeyRing } from '../crypto/key-ring.ts';
import { createSealer } from '../crypto/sealed-field.ts';
import { checkMasterKey, hasMasterKeyCheck } from '../domain/keys/master-key-check.ts';
import { countMasterKeyUse, type MasterKeyUse, resealAll } from '../domain/keys/master-key-use.ts';
import { systemClock } from '../platform/clock.ts';
import { createLifecycle } from '../platform/lifecycle.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { systemRandom } from '../platform/random.ts';
import { formatProblems, parseSettings } from '../settings/parse-settings.ts';
import { StoreOpenError } from '../store/sqlite/store-open-error.ts';
import { assertWholeStore } from './offline/offline-context.ts';
import { openStore } from './open-store.ts';

// `sallyport rekey`: after a new master key was put first, moves what can be moved to it, and tells what still hangs on which key. An older key
// may go when nothing does. With the embedded store the service must be stopped; with MongoDB it may run.

export interface RekeyOutput {
  out(text: string): void;
  err(text: string): void;
}

/** `onlyCount`: changes nothing. Exit code 1: something did not open. */
export async function rekey(env: NodeJS.ProcessEnv, onlyCount: boolean, { out, err }: RekeyOutput): Promise<ExitCode> {
  const parsed = parseSettings(env);
  if (parsed.kind === 'invalid') {
    err(formatProblems(parsed.problems));
    return 2;
  }
  const { settings, warnings } = parsed;
  const logger = createLogger({ level: settings.logLevel });
  const lifecycle = createLifecycle({ logger, shutdownMs: settings.shutdownMs });
  const metrics = createMetrics();
  lifecycle.onStop('metrics', () => metrics.stop());
  const context = { settings, warnings, logger, lifecycle, metrics, clock: systemClock(), random: systemRandom() };
  try {
    return await moveAndCount(context, onlyCount, { out, err });
  } catch (error) {
    err(`sallyport rekey: ${messageOf(error, settings.dataDir)}\n`);
    return 2;
  } finally {
    await lifecycle.stop();
  }
}

async function moveAndCount(context: ServiceContext, onlyCount: boolean, { out, err }: RekeyOutput): Promise<ExitCode> {
  const directory = await prepareDataDirectory(context.settings.dataDir);
  const store = await openStore(context, directory);
  await assertWholeStore(store);
  const { keys } = await obtainMasterKeys(context.settings, directory, context.random, () => hasMasterKeyCheck(store));
  const ring = createKeyRing(keys);
  const sealer = createSealer(ring);
  if ((await checkMasterKey({ store, sealer })) === 'wrong') {
    throw new StartFailure('none of the master keys given is the one that the data in the store was written under');
  }
  const { stopping } = context.lifecycle;
  if (!onlyCount) {
    const { resealed, failed } = await resealAll(store, sealer, stopping);
    out(`${resealed} documents sealed under ${ring.currentId}\n`);
    for (const each of failed) err(`${each} does not open with any of the keys given\n`);
    if (failed.length > 0) return 1;
  }
  out(report(ring.ids, await countMasterKeyUse(store, sealer, stopping)));
  return 0;
}

/** Another directory, which the message for a start advises, would hold other data. */
function messageOf(error: unknown, directory: string): string {
  if (error instanceof StoreOpenError && error.reason === 'IN_USE') {
    return `a Sallyport process is using the data directory ${directory}: stop it, then run this again`;
  }
  return error instanceof Error ? error.message : String(error);
}

function report(ids: readonly string[], uses: ReadonlyMap<string, MasterKeyUse>): string {
  const others = [...uses.keys()].filter((id) => !ids.includes(id));
  const rows = [...ids, ...others].map((id, index) => {
    const { documents, sealed, digests } = uses.get(id) ?? { documents: 0, sealed: 0, digests: 0 };
    const state = index === 0 ? 'current' : ids.includes(id) ? 'given' : 'missing';
    return [id, state, String(documents), String(sealed), String(digests)];
  });
  const table = [['master key', 'state', 'documents', 'sealed values', 'digests'], ...rows];
  return `${table
    .map((row) =>
      row
        .map((cell) => cell.padEnd(14))
        .join('')
        .trimEnd(),
    )
    .join('\n')}\n`;
}
