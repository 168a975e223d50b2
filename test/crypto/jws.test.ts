import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type CryptoKey, generateKeyPair, importJWK, type JWK } from 'jose';
import { parseJws, type SigningAlgorithm, signJws, verifyJws } from '../../src/crypto/jws.ts';

const SUITES = new URL('../../../shared/suites/wycheproof/', import.meta.url);
const SKIP =
  existsSync(SUITES) || process.env['CI'] === 'true'
    ? false
    : 'the Wycheproof vectors are not beside this repository (../shared/suites/wycheproof)';

interface Group {
  readonly comment: string;
  readonly private?: JWK & { readonly keys?: readonly JWK[] };
  readonly public?: JWK & { readonly keys?: readonly JWK[] };
  readonly tests: readonly {
    readonly tcId: number;
    readonly comment: string;
    readonly jws: unknown;
    readonly result: string;
  }[];
}

function groupsOf(file: string): readonly Group[] {
  return (JSON.parse(readFileSync(new URL(file, SUITES), 'utf8')) as { testGroups: readonly Group[] }).testGroups;
}

async function accepts(jws: unknown, key: CryptoKey, algorithm: SigningAlgorithm = 'ES256'): Promise<boolean> {
  if (typeof jws !== 'string') return false;
  const parsed = parseJws(jws);
  return parsed !== undefined && (await verifyJws(parsed, key, algorithm)) !== undefined;
}

const ours = await generateKeyPair('ES256');
const PAYLOAD = new TextEncoder().encode('{"a":1}');
const HEADER = { alg: 'ES256', typ: 'at+jwt', kid: 'k' } as const;

async function publicKey(jwk: JWK, algorithm: SigningAlgorithm = 'ES256'): Promise<CryptoKey> {
  const { kty = '', crv = '', x = '', y = '', n = '', e = '' } = jwk;
  const key = await importJWK(kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }, algorithm);
  assert.ok(!(key instanceof Uint8Array));
  return key;
}

/** Why a group of json_web_signature says nothing about us: by the algorithm or the use of its key. */
const outOfScope: Readonly<Record<string, string>> = {
  HS256: 'no symmetric key signs our tokens',
  RS384: 'not one of our algorithms',
  RS512: 'not one of our algorithms',
  PS256: 'not one of our algorithms',
  PS384: 'not one of our algorithms',
  PS512: 'not one of our algorithms',
  ES521: 'not one of our algorithms (P-521)',
  encryption: '`use` and `key_ops` are read from nowhere: our key sets hold signing keys that we made ourselves',
};

/** Vectors that are valid by the suite and refused by us on purpose. */
const refusedOnPurpose: Readonly<Record<number, string>> = {
  259: 'the payload is empty, and so is no set of claims',
};

const isOurs = (algorithm: string): algorithm is 'ES256' | 'RS256' => algorithm === 'ES256' || algorithm === 'RS256';

function scopeOf({
  public: jwk,
  private: secret,
}: Group): { readonly algorithm: SigningAlgorithm } | { readonly why: string } {
  const key = jwk ?? secret;
  const isForSigning = key?.use !== 'enc' && key?.key_ops?.includes('encrypt') !== true;
  const algorithm = key?.alg ?? '';
  if (jwk !== undefined && isForSigning && isOurs(algorithm)) return { algorithm };
  const why = outOfScope[isForSigning ? algorithm : 'encryption'];
  assert.ok(why !== undefined, `a group of ${algorithm} is in no scope`);
  return { why };
}

test('Wycheproof: ES256 and RS256 signatures verify exactly where they should; other groups are out of scope', {
  skip: SKIP,
}, async () => {
  const checked: Record<string, number> = {};
  let left = 0;
  for (const group of groupsOf('json_web_signature_test.json')) {
    const scope = scopeOf(group);
    if ('why' in scope) {
      left += group.tests.length;
      continue;
    }
    const { algorithm } = scope;
    const key = await publicKey(group.public ?? {}, algorithm);
    for (const { tcId, comment, jws, result } of group.tests) {
      const expected = result === 'valid' && refusedOnPurpose[tcId] === undefined;
      assert.equal(await accepts(jws, key, algorithm), expected, `${tcId} ${comment}`);
      checked[algorithm] = (checked[algorithm] ?? 0) + 1;
    }
  }
  assert.deepEqual([checked, left], [{ ES256: 39, RS256: 233 }, 129]);
});

// Of the key sets: symmetric keys, and sets that mix kinds of keys, are out of scope, because a key set holds only signing keys that we
// made; so are weak RSA keys (ROCA, 1,024 bits, exponent 1), because we take no RSA key from anybody. Their tokens are all refused.
test('Wycheproof: no token of another key passes for one of ours, whatever its algorithm', { skip: SKIP }, async () => {
  const keys = [
    ['ES256', ours.publicKey],
    ['RS256', (await generateKeyPair('RS256')).publicKey],
    ['EdDSA', (await generateKeyPair('EdDSA')).publicKey],
  ] as const;
  let checked = 0;
  for (const file of ['json_web_signature_test.json', 'json_web_key_test.json']) {
    for (const { tests } of groupsOf(file)) {
      for (const { tcId, comment, jws } of tests) {
        for (const [algorithm, key] of keys) {
          assert.equal(await accepts(jws, key, algorithm), false, `${file} ${tcId} ${comment}`);
        }
        checked += 1;
      }
    }
  }
  assert.equal(checked, 427);
});

test('Wycheproof: a public key that is not a point of P-256 is not imported', { skip: SKIP }, async () => {
  const wanted = new Set(['invalid_point', 'wrong_curve', 'wrong_kty']);
  const groups = groupsOf('json_web_key_test.json').filter(({ comment }) => wanted.has(comment));
  assert.equal(groups.length, wanted.size);
  for (const { comment, public: jwk } of groups) {
    await assert.rejects(publicKey(jwk?.keys?.[0] ?? jwk ?? {}), comment);
  }
});

test('a token we signed verifies, and no other text of it does', async () => {
  const token = await signJws(HEADER, PAYLOAD, ours.privateKey);
  assert.ok(await accepts(token, ours.publicKey));
  const [header = '', payload = '', signature = ''] = token.split('.');
  const last = signature.at(-1) ?? '';
  const spare = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const sameBytes = spare.charAt(spare.indexOf(last) + 1);
  const others = [
    ` ${token}`,
    `${token}\n`,
    `${token}=`,
    `${token}.`,
    `${header}.${payload} .${signature}`,
    `${header}.${payload}.${signature.slice(0, -1)}${sameBytes}`,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    `.${payload}.${signature}`,
    `${header}..${signature}`,
  ];
  for (const other of others) assert.equal(await accepts(other, ours.publicKey), false, other);
});

test('a header that could bring a key or a rule of its own is refused though the signature is right', async () => {
  const additions = [
    { crit: ['exp'], exp: 1 },
    { b64: false, crit: ['b64'] },
    { jku: 'https://evil.test/jwks.json' },
    { x5u: 'https://evil.test/cert.pem' },
    { x5c: [] },
    { jwk: { kty: 'EC' } },
    { zip: 'DEF' },
  ];
  for (const addition of additions) {
    const token = await signJws({ ...HEADER }, PAYLOAD, ours.privateKey);
    const header = Buffer.from(JSON.stringify({ ...HEADER, ...addition })).toString('base64url');
    assert.equal(parseJws([header, ...token.split('.').slice(1)].join('.')), undefined, JSON.stringify(addition));
  }
  for (const header of ['[]', '"x"', 'null', '{', '{"alg":1}', '{"typ":"at+jwt"}', '{"alg":"ES256","kid":7}']) {
    const text = `${Buffer.from(header).toString('base64url')}.e30.AAAA`;
    assert.equal(parseJws(text), undefined, header);
  }
});

test('alg none, and an algorithm that is not the key\u2019s, are refused', async () => {
  for (const alg of ['none', 'None', 'HS256', 'ES384', 'es256', '']) {
    const header = Buffer.from(JSON.stringify({ ...HEADER, alg })).toString('base64url');
    assert.equal(await accepts(`${header}.e30.${Buffer.alloc(64, 1).toString('base64url')}`, ours.publicKey), false);
  }
});
