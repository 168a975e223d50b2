import { runService } from '../../src/cli/run-service.ts';
import { eventOfEffect } from '../../src/domain/audit/audit-event.ts';
import type { SessionDocument } from '../../src/domain/session/use-cases.ts';
import type { Collection, CollectionName, Document, Store } from '../../src/domain/storage.ts';
import { openService } from '../../src/service.ts';

// The service, over a store that ends the process by SIGKILL when a certain swap is durable and before whoever made it hears of that. A
// program of its own, started in the place of bin/sallyport.js: the service knows nothing of it.

/** In the environment: after whose swap it dies. */
const DIE_AFTER = 'DIE_AFTER';

type Moment = readonly [collection: CollectionName, isTheLast: (written: Document) => boolean];

const session = (isTheLast: (written: SessionDocument) => boolean): Moment => [
  'sessions',
  (written) => isTheLast(written as SessionDocument),
];
/** An event that is recorded in the document, and not in the trail yet. */
const holdsEvent = (type: string) => (written: Document) =>
  written.outbox?.some((effect) => eventOfEffect(effect)?.type === type) === true;

const moments: Readonly<Record<string, Moment>> = {
  rotation: session(({ revokedAt, lastRotation }) => revokedAt === undefined && lastRotation !== undefined),
  revocation: session(({ revokedAt }) => revokedAt !== undefined),
  password: ['users', holdsEvent('password.set')],
  signingKey: ['keySets', holdsEvent('signing_key.revoked')],
};

function dying(store: Store): Store {
  const moment = moments[process.env[DIE_AFTER] ?? ''];
  if (moment === undefined) throw new Error(`${DIE_AFTER} is one of ${Object.keys(moments).join(', ')}`);
  const [where, isTheLast] = moment;
  return {
    ...store,
    collection: <D extends Document>(name: CollectionName): Collection<D> => {
      const documents = store.collection<D>(name);
      if (name !== where) return documents;
      return {
        ...documents,
        replace: async (draft, version, signal) => {
          const result = await documents.replace(draft, version, signal);
          if (result.kind === 'replaced' && isTheLast(result.document)) process.kill(process.pid, 'SIGKILL');
          return result;
        },
      };
    },
  };
}

process.exitCode = await runService(process.env, (context) =>
  openService({
    ...context,
    lifecycle: {
      ...context.lifecycle,
      start: async (name, open, close) => {
        const part = await context.lifecycle.start(name, open, close);
        return name === 'store' ? (dying(part as unknown as Store) as typeof part) : part;
      },
    },
  }),
);
