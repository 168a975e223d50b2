import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { credentials } from '@grpc/grpc-js';
import { AuthorizationService } from '../../gen/sallyport/v1/authorization_pb.ts';
import { eventually } from '../support/eventually.ts';
import { grpcClient } from '../support/grpc-client.ts';
import { failedStart, type ServiceProcess, startService } from '../support/service-process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { createTestAuthority } from '../support/test-certificates.ts';

// TLS as an operator sets it up: by files, named in the settings.

interface Identity {
  readonly cert: Buffer;
  readonly key: Buffer;
}

const UNAVAILABLE = 14;
/** Patience: what fails must fail by itself, not by this. */
const DEADLINE_MS = 15_000;
/** RFC 6066 section 3 has no server name that is an address. */
const SERVER_NAME = 'localhost';

const question = { principal: { identity: { case: 'subject' as const, value: { type: 'user', id: '7' } } } };

async function authorize(service: ServiceProcess, ca: Buffer, identity?: Identity): Promise<void> {
  const client = grpcClient(AuthorizationService, service.grpc, {
    key: service.adminKey,
    credentials: credentials.createSsl(ca, identity?.key ?? null, identity?.cert ?? null),
    channel: { 'grpc.ssl_target_name_override': SERVER_NAME },
  });
  try {
    await client.authorize({ ...question, permission: 'documents:read' }, { deadlineMs: DEADLINE_MS });
  } finally {
    client.close();
  }
}

/** Status of the public keys over HTTPS, or the code of what went wrong. */
function jwks(service: ServiceProcess, ca: Buffer, identity?: Identity): Promise<number | string | undefined> {
  return new Promise((resolve) => {
    const url = `https://${service.http}/.well-known/jwks.json`;
    const sent = request(url, { ca, ...identity, servername: SERVER_NAME, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    sent.end();
  });
}

async function commonName(address: string, ca: Buffer): Promise<string | undefined> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), ca, servername: SERVER_NAME, ALPNProtocols: ['h2', 'http/1.1'] });
  await once(socket, 'secureConnect');
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return Array.isArray(name) ? name[0] : name;
}

test('with a certificate both ports speak TLS only, and take up a renewed one while they serve', async (t) => {
  using dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const first = authority.sign('first', 'first');
  const second = authority.sign('second', 'second');
  const live = { certFile: join(dir.path, 'live.crt'), keyFile: join(dir.path, 'live.key') };
  copyFileSync(first.certFile, live.certFile);
  copyFileSync(first.keyFile, live.keyFile);
  const service = await startService({
    env: { SALLYPORT_TLS_CERT_FILE: live.certFile, SALLYPORT_TLS_KEY_FILE: live.keyFile },
  });
  t.after(() => service.stop());
  await authorize(service, authority.ca);
  assert.equal(await jwks(service, authority.ca), 200);
  assert.match(service.output(), /curl -s --cacert \S+live\.crt https:/);

  const plain = grpcClient(AuthorizationService, service.grpc, { key: service.adminKey });
  await assert.rejects(plain.authorize({}, { deadlineMs: DEADLINE_MS }), { code: UNAVAILABLE });
  plain.close();
  await assert.rejects(fetch(`http://${service.http}/.well-known/jwks.json`));

  copyFileSync(second.certFile, live.certFile);
  copyFileSync(second.keyFile, live.keyFile);
  for (const address of [service.grpc, service.http]) {
    await eventually('the renewed certificate is shown', async () =>
      (await commonName(address, authority.ca)) === 'second' ? true : undefined,
    );
  }
  await authorize(service, authority.ca);
});

test('with a client authority nobody gets in without a certificate of it', async (t) => {
  using dir = tempDir();
  using otherDir = tempDir();
  const authority = createTestAuthority(dir.path);
  const server = authority.sign('server', 'server');
  const pair = (signed: { certFile: string; keyFile: string }): Identity => ({
    cert: readFileSync(signed.certFile),
    key: readFileSync(signed.keyFile),
  });
  const right = pair(authority.sign('caller', 'caller'));
  const wrong = pair(createTestAuthority(otherDir.path).sign('caller', 'caller'));
  const service = await startService({
    env: {
      SALLYPORT_TLS_CERT_FILE: server.certFile,
      SALLYPORT_TLS_KEY_FILE: server.keyFile,
      SALLYPORT_TLS_CLIENT_CA_FILE: authority.caFile,
    },
  });
  t.after(() => service.stop());
  const { ca } = authority;
  await authorize(service, ca, right);
  assert.equal(await jwks(service, ca, right), 200);
  for (const identity of [undefined, wrong]) {
    await assert.rejects(authorize(service, ca, identity), { code: UNAVAILABLE });
    assert.notEqual(await jwks(service, ca, identity), 200);
  }
  // The operator's probes need no certificate.
  assert.equal((await fetch(`http://${service.ops}/livez`)).status, 200);
});

test('certificate files that are missing or do not fit together are told at start', async () => {
  using dir = tempDir();
  const authority = createTestAuthority(dir.path);
  const one = authority.sign('one', 'one');
  const other = authority.sign('other', 'other');
  for (const [certFile, keyFile] of [
    [one.certFile, other.keyFile],
    [join(dir.path, 'absent.crt'), one.keyFile],
  ] as const) {
    const env = { SALLYPORT_TLS_CERT_FILE: certFile, SALLYPORT_TLS_KEY_FILE: keyFile };
    const { code, output } = await failedStart({ env });
    assert.equal(code, 2, output);
    assert.match(output, /SALLYPORT_TLS_CERT_FILE, SALLYPORT_TLS_KEY_FILE/);
  }
});
