import { runService } from '../../src/cli/run-service.ts';
import type { SessionDocument } from '../../src/domain/session/use-cases.ts';
import type { Collection, Document, Store } from '../../src/domain/storage.ts';
import { openService } from '../../src/service.ts';

// The service, over a store that ends the process by SIGKILL when a swap of a session is durable and before whoever made it hears of that. A
// program of its own, started in the place of bin/sallyport.js: the service knows nothing of it.

/** In the environment: `rotation` or `revocation`, after whose swap it dies. */
const DIE_AFTER = 'DIE_AFTER';

const isTheLast: Readonly<Record<string, (session: SessionDocument) => boolean>> = {
  rotation: ({ revokedAt, lastRotation }) => revokedAt === undefined && lastRotation !== undefined,
  revocation: ({ revokedAt }) => revokedAt !== undefined,
};

function dying(store: Store): Store {
  const isLast = isTheLast[process.env[DIE_AFTER] ?? ''];
  if (isLast === undefined) throw new Error(`${DIE_AFTER} is one of ${Object.keys(isTheLast).join(', ')}`);
  return {
    ...store,
    collection: <D extends Document>(name: Parameters<Store['collection']>[0]): Collection<D> => {
      const documents = store.collection<D>(name);
      if (name !== 'sessions') return documents;
      return {
        ...documents,
        replace: async (draft, version, signal) => {
          const result = await documents.replace(draft, version, signal);
          if (result.kind === 'replaced' && isLast(result.document as unknown as SessionDocument)) {
            process.kill(process.pid, 'SIGKILL');
          }
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
