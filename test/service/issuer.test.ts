import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIssuer } from '../../src/service/issuer.ts';
import { parseSettings } from '../../src/settings/parse-settings.ts';

function issuerOf(env: Readonly<Record<string, string>>, port: number): string {
  const parsed = parseSettings(env);
  if (parsed.kind === 'invalid') throw new Error(JSON.stringify(parsed.problems));
  const issuer = createIssuer(parsed.settings);
  issuer.bound(port);
  return issuer.url;
}

test('without settings the issuer is http://127.0.0.1:8080', () => {
  assert.equal(issuerOf({}, 8080), 'http://127.0.0.1:8080');
});

test('an issuer that is not set follows from the HTTP address, its bound port and TLS', () => {
  const open = { SALLYPORT_ALLOW_PLAINTEXT: 'true' };
  assert.equal(issuerOf({ SALLYPORT_HTTP_ADDRESS: '127.0.0.1:0' }, 4711), 'http://127.0.0.1:4711');
  assert.equal(issuerOf({ SALLYPORT_HTTP_ADDRESS: '[::1]:8081' }, 8081), 'http://[::1]:8081');
  assert.equal(issuerOf({ ...open, SALLYPORT_HTTP_ADDRESS: '0.0.0.0:8081' }, 8081), 'http://127.0.0.1:8081');
  assert.equal(issuerOf({ ...open, SALLYPORT_HTTP_ADDRESS: '[::]:8081' }, 8081), 'http://[::1]:8081');
  const tls = { SALLYPORT_TLS_CERT_FILE: 'c.pem', SALLYPORT_TLS_KEY_FILE: 'k.pem' };
  assert.equal(issuerOf({ ...tls, SALLYPORT_HTTP_ADDRESS: 'auth.internal:443' }, 443), 'https://auth.internal:443');
});

test('an issuer that is set stays, whatever port is bound', () => {
  assert.equal(issuerOf({ SALLYPORT_ISSUER: 'https://id.example' }, 4711), 'https://id.example');
});

test('a start warns where others cannot use the issuer that follows', () => {
  const warnings = (env: Readonly<Record<string, string>>): string => {
    const parsed = parseSettings({ ...env, SALLYPORT_ALLOW_PLAINTEXT: 'true' });
    return parsed.kind === 'ok' ? parsed.warnings.join('|') : JSON.stringify(parsed.problems);
  };
  assert.match(warnings({ SALLYPORT_HTTP_ADDRESS: '0.0.0.0:8080' }), /SALLYPORT_ISSUER is not set/);
  const named = { SALLYPORT_HTTP_ADDRESS: '0.0.0.0:8080', SALLYPORT_ISSUER: 'https://id.example' };
  assert.doesNotMatch(warnings(named), /SALLYPORT_ISSUER/);
  assert.equal(warnings({}), '');
});
