import { after } from 'node:test';
import { cheapHashes, type ServiceProcess, startService } from '../../../../test/support/service-process.ts';
import { seed } from '../../src/seed.ts';
import { type RunningShop, serve } from '../../src/serve.ts';

/** Serves the shop in this process, with its people in `service`; `address` is another way to it. Closed after the tests of the file. */
export async function openShop(
  service: ServiceProcess,
  address: string = service.grpc,
  more: Readonly<Record<string, string>> = {},
): Promise<RunningShop> {
  const keys = await seed(service.grpc, service.adminKey);
  const shop = await serve({
    PORT: '0',
    SALLYPORT_CLIENT_ADDRESS: address,
    SALLYPORT_CLIENT_API_KEY: keys.application,
    SHOP_KEY_MANAGER_API_KEY: keys.manager,
    ...more,
  });
  after(() => shop.close());
  return shop;
}

/** A service for the tests of one file. */
export async function openService(env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const service = await startService({ env: { ...cheapHashes, SALLYPORT_RATE_PER_CLIENT: '100000', ...env } });
  after(() => service.stop());
  return service;
}
