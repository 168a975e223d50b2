import type { Server } from 'node:http';
import { Sallyport } from '@sallyport/client';
import { createShop } from './shop.ts';

// What runs in production: everything comes from the environment.

export interface RunningShop {
  /** `http://localhost:PORT`: by this name browsers keep cookies that are for https. */
  readonly origin: string;
  close(): void;
}

/**
 * Serves the shop on the loopback port PORT (3000; 0 picks a free one) with the SALLYPORT_CLIENT_ variables of the client, and the key of
 * SHOP_KEY_MANAGER_API_KEY for the page that makes API keys.
 * @throws Error that names the variable that is wrong
 */
export async function serve(environment: Readonly<Record<string, string | undefined>>): Promise<RunningShop> {
  const sallyport = Sallyport.fromEnv(environment);
  const managerKey = environment['SHOP_KEY_MANAGER_API_KEY'];
  if (managerKey === undefined)
    throw new Error('SHOP_KEY_MANAGER_API_KEY is not set: a key of a service with the role manager');
  const keyManager = Sallyport.fromEnv({ ...environment, SALLYPORT_CLIENT_API_KEY: managerKey });
  const app = createShop({ sallyport, keyManager });
  const server = await new Promise<Server>((resolve, reject) => {
    const listening = app.listen(Number(environment['PORT'] ?? 3000), 'localhost', (error?: Error) =>
      error === undefined ? resolve(listening) : reject(error),
    );
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    origin: `http://localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
      sallyport.close();
      keyManager.close();
    },
  };
}

if (process.argv[1] === import.meta.filename) {
  const { origin } = await serve(process.env);
  process.stdout.write(`The shop is open at ${origin}\n`);
}
