import assert from 'node:assert/strict';
import type { lookup } from 'node:dns';
import type { ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';
import { createProviderFetch, type ProviderFetchOptions } from '../../src/federation/provider-fetch.ts';
import { Fault } from '../../src/platform/faults.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { type ScriptedProvider, startScriptedProvider } from '../support/scripted-provider.ts';

let provider: ScriptedProvider;
before(async () => {
  provider = await startScriptedProvider();
});
after(() => provider[Symbol.asyncDispose]());

const GET = { method: 'GET', headers: {} };
const LOOPBACK = ['127.0.0.0/8'];

function fetchWith(options: Partial<ProviderFetchOptions> = {}) {
  return createProviderFetch({ logger: silentLogger(), allowedNetworks: LOOPBACK, extraCa: provider.ca, ...options });
}

/** Why a request failed, for whoever operates the service; the caller only hears that it did. */
async function causeOf(work: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  const fault: unknown = await work.then(
    () => assert.fail('it was answered'),
    (error: unknown) => error,
  );
  assert.ok(fault instanceof Fault && fault.cause instanceof Error);
  assert.equal(fault.code, 'UNAVAILABLE');
  assert.equal(fault.message, 'the identity provider does not answer');
  return fault.cause;
}

/** A resolver that answers the addresses of each turn, the last for ever, and counts its turns. */
function resolver(...turns: readonly (readonly string[])[]) {
  let asked = 0;
  const resolve = (_host: string, _options: object, done: (error: null, addresses: object[]) => void): void => {
    const addresses = turns[Math.min(asked, turns.length - 1)] ?? [];
    asked += 1;
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup: resolve as unknown as typeof lookup, asked: () => asked };
}

function answering(answer: (response: ServerResponse) => void): string {
  provider.mischief = { answer: { '/x': (_request, response) => answer(response) } };
  return `${provider.issuer}/x`;
}

test('an answer comes whole, with its status and headers', async () => {
  const url = answering((response) => response.writeHead(404, { 'content-type': 'text/plain' }).end('no such page'));
  const response = await fetchWith()(url, GET);
  assert.equal(response.status, 404);
  assert.equal(response.headers.get('content-type'), 'text/plain');
  assert.equal(await response.text(), 'no such page');
});

test('nothing but https is spoken, and only to who has a certificate that is trusted', async () => {
  const plain = provider.issuer.replace('https:', 'http:');
  assert.match((await causeOf(fetchWith()(plain, GET))).message, /only https/);
  const unknown = await causeOf(fetchWith({ extraCa: undefined })(provider.issuer, GET));
  assert.match(unknown.code ?? '', /SELF_SIGNED|UNABLE_TO_VERIFY/);
  const { port } = new URL(provider.issuer);
  const { lookup: elsewhere } = resolver(['127.0.0.1']);
  const foreign = await causeOf(fetchWith({ lookup: elsewhere })(`https://login.example:${port}/x`, GET));
  assert.equal(foreign.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
});

test('an address that is not public is refused before anything is sent, as a number and behind a name', async () => {
  const before = provider.asked.length;
  const { port } = new URL(provider.issuer);
  const refuse = fetchWith({ allowedNetworks: [] });
  const hosts = ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f000001', '127.1', '0', 'localhost'];
  for (const host of hosts) {
    assert.equal((await causeOf(refuse(`https://${host}:${port}/x`, GET))).name, 'RefusedAddressError', host);
  }
  const { lookup: inside } = resolver(['169.254.169.254']);
  const metadata = await causeOf(fetchWith({ lookup: inside })('https://metadata.example/', GET));
  assert.equal(metadata.name, 'RefusedAddressError');
  assert.equal(provider.asked.length, before);
});

test('a name with a public and a private address is refused: which one is taken would be up to chance', async () => {
  const { lookup: mixed } = resolver(['93.184.215.14', '10.0.0.1']);
  const cause = await causeOf(fetchWith({ lookup: mixed })('https://login.example/', GET));
  assert.equal(cause.name, 'RefusedAddressError');
});

test('a name that answers differently the second time gains nothing: what is judged is what is connected to', async () => {
  const { port } = new URL(provider.issuer);
  const rebinding = resolver(['127.0.0.1'], ['10.0.0.1']);
  const fetch = fetchWith({ lookup: rebinding.lookup });
  answering((response) => response.end('{}'));
  assert.equal((await fetch(`https://localhost:${port}/x`, GET)).status, 200);
  assert.equal(rebinding.asked(), 1, 'one look-up for one connection');
  assert.equal((await causeOf(fetch(`https://localhost:${port}/x`, GET))).name, 'RefusedAddressError');
  assert.equal(rebinding.asked(), 2, 'the next request looks up, and judges, again');
});

test('a redirect is an answer, and is not followed', async () => {
  const url = answering((response) => response.writeHead(302, { location: `${provider.issuer}/jwks` }).end());
  const before = provider.asked.length;
  const response = await fetchWith()(url, GET);
  assert.equal(response.status, 302);
  assert.deepEqual(provider.asked.slice(before), ['/x']);
});

test('an answer that is too long ends where the limit is', async () => {
  let sent = 0;
  const url = answering((response) => {
    const more = (): void => {
      if (response.destroyed) return;
      sent += 1024;
      response.write('x'.repeat(1024), more);
    };
    more();
  });
  assert.match((await causeOf(fetchWith({ maxBytes: 10_000 })(url, GET))).message, /more than 10000 bytes/);
  assert.ok(sent < 10_000_000);
  const just = answering((response) => response.end('x'.repeat(10_000)));
  assert.equal((await (await fetchWith({ maxBytes: 10_000 })(just, GET)).text()).length, 10_000);
});

test('an answer that does not begin, or does not end, is given up', async () => {
  const fetch = fetchWith({ timeoutMs: 200 });
  await causeOf(
    fetch(
      answering(() => {}),
      GET,
    ),
  );
  await causeOf(
    fetch(
      answering((response) => response.write('{')),
      GET,
    ),
  );
});

test('a provider that is not there, hangs up, or says that it cannot is UNAVAILABLE', async () => {
  await causeOf(fetchWith()('https://127.0.0.1:1/', GET));
  const hungUp = answering((response) => response.destroy());
  await causeOf(fetchWith()(hungUp, GET));
  for (const status of [429, 500, 502, 503]) {
    const url = answering((response) => response.writeHead(status).end('{}'));
    assert.match((await causeOf(fetchWith()(url, GET))).message, new RegExp(String(status)));
  }
});
