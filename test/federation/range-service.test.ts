import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createRangeService } from '../../src/federation/range-service.ts';

const digestOf = (password: string): string => hash('sha1', password, 'hex').toUpperCase();

async function serve(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return createRangeService(`http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`);
}

test('a known password is found, an unknown and a padded one are not, and only five characters leave', async (t) => {
  const asked: string[] = [];
  const [known, padded] = [digestOf('known'), digestOf('padded')];
  const range = await serve(t, (request, response) => {
    asked.push(`${request.url} ${request.headers['add-padding']}`);
    response.end(`${'0'.repeat(35)}:1\r\n${known.slice(5)}:42\r\n${padded.slice(5)}:0`);
  });
  assert.equal(await range.has(known), true);
  assert.equal(await range.has(padded), false);
  assert.equal(await range.has(digestOf('unknown')), false);
  assert.equal(asked[0], `/range/${known.slice(0, 5)} true`);
});

test('whatever is no list is an outage, never a clean password', async (t) => {
  const answers: readonly ((response: ServerResponse) => void)[] = [
    (response) => response.writeHead(503).end('0'.repeat(35)),
    (response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    (response) => response.end('<html>'),
    (response) => response.end(''),
    (response) => response.end(`${'0'.repeat(35)}:1\r\n`.repeat(40_000)),
    (response) => response.destroy(),
  ];
  let next = 0;
  const range = await serve(t, (_request, response) => answers[next]?.(response));
  for (; next < answers.length; next += 1) {
    await assert.rejects(range.has(digestOf('x')), { code: 'UNAVAILABLE' }, `answer ${next}`);
  }
});

test('one that is not there is an outage, and a caller that gives up is answered with its own reason', async (t) => {
  await assert.rejects(createRangeService('http://127.0.0.1:1/').has(digestOf('x')), { code: 'UNAVAILABLE' });
  const range = await serve(t, () => {});
  const caller = new AbortController();
  const waits = range.has(digestOf('x'), caller.signal);
  const reason = new Error('gone');
  caller.abort(reason);
  await assert.rejects(waits, (error) => error === reason);
});
