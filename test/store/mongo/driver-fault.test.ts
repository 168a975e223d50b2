import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { MongoInvalidArgumentError } from 'mongodb';
import { Fault } from '../../../src/platform/faults.ts';
import { mayHaveHappened, toFault } from '../../../src/store/mongo/driver-fault.ts';

/** What a write to a connection throws that the other side has ended: Node's EPIPE, which names no system call. */
async function writeAfterTheEnd(): Promise<unknown> {
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const failed = new Promise<unknown>((resolve) => {
    socket.on('error', resolve);
  });
  socket.resume();
  await once(socket, 'end');
  socket.write('x');
  const error = await failed;
  server.close();
  return error;
}

test('a write to a connection that the database has ended is UNAVAILABLE, and may have happened', async () => {
  const error = await writeAfterTheEnd();
  const fault = toFault(error);
  assert.ok(fault instanceof Fault, String(error));
  assert.equal(fault.code, 'UNAVAILABLE');
  assert.equal(fault.cause, error);
  assert.equal(mayHaveHappened(fault), true);
});

test('a refused connection is UNAVAILABLE', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => {
    server.close(resolve);
  });
  const [error] = await once(connect(port, '127.0.0.1'), 'error');
  const fault = toFault(error);
  assert.ok(fault instanceof Fault && fault.code === 'UNAVAILABLE', String(error));
});

test('a mistake in the use of the driver or of Node stays what it is', () => {
  const misuse = new MongoInvalidArgumentError('no such option');
  assert.equal(toFault(misuse), misuse);
  const broken = new TypeError('not a function');
  assert.equal(toFault(broken), broken);
  const argument = Object.assign(new TypeError('wrong type'), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal(toFault(argument), argument);
});
