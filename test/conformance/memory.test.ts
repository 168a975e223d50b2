import { createMemoryStore } from '../support/memory-store.ts';
import { storeSuite } from './store-suite.ts';

// The store of the unit tests keeps the same law as the real ones; otherwise those tests would prove nothing.

storeSuite({
  name: 'memory',
  losesNoAnswer: true,
  open: async (parts) => {
    const store = createMemoryStore(parts);
    return {
      store,
      reopen: async () => {
        await store.close();
        store.reopen();
        return store;
      },
      damageCheckpoint: async (stream) => store.damageCheckpoint(stream),
      dispose: () => store.close(),
    };
  },
});
