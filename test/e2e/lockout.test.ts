import assert from 'node:assert/strict';
import { onBothStores } from '../support/both-stores.ts';
import { jsonCall } from '../support/json-call.ts';
import { addPerson, PASSWORD } from '../support/people.ts';
import type { ServiceProcess } from '../support/service-process.ts';

interface Answer {
  readonly rejection?: { readonly reason: string; readonly retryAfter?: string };
  readonly authenticated?: object;
}

async function logIn(service: ServiceProcess, password: string, ip = '192.0.2.7'): Promise<Answer> {
  const credential = { identifier: 'ada@example.com', password };
  return await jsonCall(service, 'AuthenticationService/Authenticate', { password: credential, client: { ip } });
}

await onBothStores((onStores) => {
  onStores('three wrong passwords lock a minute, at every replica, until somebody unlocks', async (place) => {
    const service = await place.start();
    // Before the lock, which runs out while a busy machine starts another one.
    const other = place.kind === 'mongodb' ? await place.start() : service;
    const userId = await addPerson(service, 'ada');
    for (let index = 0; index < 3; index += 1) {
      const { rejection } = await logIn(service, `wrong-${index}`);
      assert.equal(rejection?.reason, 'REJECTION_REASON_INVALID_CREDENTIALS');
    }
    const { rejection } = await logIn(other, PASSWORD);
    assert.equal(rejection?.reason, 'REJECTION_REASON_LOCKED');
    const seconds = Number.parseFloat(rejection?.retryAfter ?? '');
    assert.ok(seconds > 40 && seconds <= 60, rejection?.retryAfter);
    assert.ok((await logIn(other, PASSWORD, '192.0.2.8')).authenticated, 'elsewhere');
    await jsonCall(service, 'UserService/UnlockUser', { userId });
    assert.ok((await logIn(other, PASSWORD)).authenticated);
  });

  onStores('a client that tries too often is told to wait', async (place) => {
    const service = await place.start({ SALLYPORT_RATE_PER_CLIENT: '2' });
    await addPerson(service, 'ada');
    assert.ok((await logIn(service, PASSWORD)).authenticated);
    assert.ok((await logIn(service, PASSWORD)).authenticated);
    const { rejection } = await logIn(service, PASSWORD);
    assert.equal(rejection?.reason, 'REJECTION_REASON_RATE_LIMITED');
    assert.ok(Number.parseFloat(rejection?.retryAfter ?? '') > 0);
    assert.ok((await logIn(service, PASSWORD, '192.0.2.8')).authenticated, 'elsewhere');
  });
});
