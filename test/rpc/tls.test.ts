import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { Health as HealthService } from '../../gen/grpc/health/v1/health_pb.ts';
import { readTlsFiles, watchTlsFiles } from '../../src/platform/tls-source.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { startRpcHarness } from '../support/rpc-harness.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createTestAuthority } from '../support/test-certificates.ts';

/** RFC 6066 section 3 has no server name that is an address. */
const channel = { 'grpc.ssl_target_name_override': 'localhost' };

/** Common name of the certificate that the server shows now. */
async function shownName(address: string, ca: Buffer, protocol: 'h2' | 'http/1.1'): Promise<string | undefined> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), ca, servername: 'localhost', ALPNProtocols: [protocol] });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return Array.isArray(name) ? name[0] : name;
}

/** Status of a GET with a client certificate, or the code of the error. */
function get(
  url: string,
  tls: { readonly ca: Buffer; readonly cert?: Buffer; readonly key?: Buffer },
): Promise<unknown> {
  return new Promise((resolve) => {
    const sent = request(url, { ...tls, servername: 'localhost', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    sent.end();
  });
}

test('both ports speak TLS, and a renewed certificate is shown without a restart', async (t) => {
  using dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const first = authority.sign('first', 'first');
  const second = authority.sign('second', 'second');
  const files = { certFile: join(dir.path, 'live.crt'), keyFile: join(dir.path, 'live.key') };
  copyFileSync(first.certFile, files.certFile);
  copyFileSync(first.keyFile, files.keyFile);
  const failures: unknown[] = [];
  const tls = watchTlsFiles(files, (error) => void failures.push(error), 20);
  t.after(() => tls.close());
  const harness = await startRpcHarness(t, { tls });
  const { ca } = authority;
  assert.equal(await shownName(harness.grpc, ca, 'h2'), 'first');
  const client = grpcClient(HealthService, harness.grpc, { credentials: credentials.createSsl(ca), channel });
  t.after(client.close);
  await client.check({});

  const changed = new Promise<void>((resolve) => tls.onChange(() => resolve()));
  // The certificate of one key with another key does not fit: nothing changes until both are there.
  copyFileSync(second.certFile, files.certFile);
  copyFileSync(second.keyFile, files.keyFile);
  await changed;
  assert.equal(await shownName(harness.grpc, ca, 'h2'), 'second');
  assert.equal(await shownName(harness.http.replace('https://', ''), ca, 'http/1.1'), 'second');
  // The old connection goes on.
  await client.check({});
});

test('with a client authority only its certificates get in', async (t) => {
  using dir = tempDir();
  using otherDir = tempDir();
  const authority = createTestAuthority(dir.path);
  const server = authority.sign('server', 'server');
  const files = { ...server, clientCaFile: authority.caFile };
  const tls = watchTlsFiles(files, () => {});
  t.after(() => tls.close());
  const harness = await startRpcHarness(t, { tls });
  const pair = (signed: { certFile: string; keyFile: string }) => ({
    cert: readFileSync(signed.certFile),
    key: readFileSync(signed.keyFile),
  });
  const good = pair(authority.sign('caller', 'caller'));
  const bad = pair(createTestAuthority(otherDir.path).sign('caller', 'caller'));
  const { ca } = authority;

  for (const [given, works] of [
    [good, true],
    [bad, false],
    [undefined, false],
  ] as const) {
    const secure = credentials.createSsl(ca, given?.key ?? null, given?.cert ?? null);
    const client = grpcClient(HealthService, harness.grpc, { credentials: secure, channel });
    const check = client.check({}, { deadlineMs: 15_000 });
    if (works) await check;
    else await assert.rejects(check, { code: 14 });
    client.close();
    const status = await get(`${harness.http}/nothing`, { ca, ...given });
    assert.equal(status === 404, works, String(status));
  }
});

test('a key that does not belong to its certificate is refused', () => {
  using dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const one = authority.sign('one', 'one');
  const other = authority.sign('other', 'other');
  assert.throws(() => readTlsFiles({ certFile: one.certFile, keyFile: other.keyFile }), /key values mismatch/);
  writeFileSync(other.keyFile, 'no key');
  assert.throws(() => readTlsFiles({ certFile: other.certFile, keyFile: other.keyFile }));
});
