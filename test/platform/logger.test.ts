import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LogLevel, silentLogger } from '../../src/platform/logger.ts';

function capture(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const logger = createLogger({ level, destination: { write: (line) => void lines.push(line) } });
  return { logger, lines, parsed: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test('a log line is one JSON object with time, level, fields and message', () => {
  const { logger, lines, parsed } = capture();
  logger.info({ method: 'Authorize', durationMs: 3 }, 'call done');
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /\n$/);
  const [line] = parsed();
  assert.equal(line?.['level'], 'info');
  assert.equal(line?.['message'], 'call done');
  assert.equal(line?.['method'], 'Authorize');
  assert.equal(line?.['durationMs'], 3);
  assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/);
});

test('a child adds its fields to every line, masked like any other', () => {
  const { logger, parsed } = capture();
  logger.child({ requestId: 'r1', apiKey: 'hush-hush' }).warn({}, 'slow');
  assert.equal(parsed()[0]?.['requestId'], 'r1');
  assert.equal(parsed()[0]?.['apiKey'], '[redacted]');
});

test('lines below the level are not written', () => {
  const { logger, lines } = capture('warn');
  logger.info({}, 'no');
  logger.error({}, 'yes');
  assert.equal(lines.length, 1);
  assert.equal(logger.enabled('info'), false);
  assert.equal(logger.enabled('error'), true);
  silentLogger().error({}, 'nothing');
});

test('secrets are masked by name at any depth and by shape in any text', () => {
  const { logger, lines } = capture();
  const key = `sk_live_${'A1b2C3d4E5f6G7h8'.repeat(4)}`;
  const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ1In0.c2lnbmF0dXJl';
  logger.info(
    {
      password: 'hunter-two',
      request: {
        headers: [{ Authorization: 'Basic hunter-two' }],
        refresh_token: 'hunter-two',
        totpCode: 'hunter-two',
      },
      code: '492039',
      note: `key ${key} and ${jwt} and rt_c2Vzc2lvbi1pZA-x_1Zm9yIHJlYWw and Bearer hunter-two`,
      url: 'mongodb://app:hunter-two@db.internal/sallyport',
      err: new Error(`cannot use ${key}`, { cause: { secret: 'hunter-two' } }),
    },
    'tried',
  );
  const text = lines.join('');
  for (const secret of ['hunter-two', 'A1b2C3d4', 'eyJhbGci', 'c2Vzc2lvbi1pZA', '492039']) {
    assert.ok(!text.includes(secret), `${secret} is in ${text}`);
  }
  assert.match(text, /mongodb:\/\/app:\[redacted\]@db\.internal/);
});

test('names and codes that are no secrets stay readable', () => {
  const { logger, parsed } = capture();
  logger.info(
    { keyId: 'k1', code: 'NOT_FOUND', hasPassword: true, tokenCount: 2, statusCode: 200, field: 'at_least_revision' },
    'x',
  );
  const { keyId, code, hasPassword, tokenCount, statusCode, field } = parsed()[0] ?? {};
  assert.deepEqual([keyId, code, hasPassword, tokenCount, statusCode], ['k1', 'NOT_FOUND', true, 2, 200]);
  assert.equal(field, 'at_least_revision');
});

test('an error is logged with type, message, stack and cause', () => {
  const { logger, parsed } = capture();
  logger.error({ err: new TypeError('bad', { cause: new Error('deeper') }) }, 'failed');
  const err = parsed()[0]?.['err'] as Record<string, unknown>;
  assert.equal(err['type'], 'TypeError');
  assert.equal(err['message'], 'bad');
  assert.match(String(err['stack']), /logger\.test/);
  assert.equal((err['cause'] as Record<string, unknown>)['message'], 'deeper');
});

test('a field that refers to itself, or is huge, does not blow up the line', () => {
  const { logger, lines } = capture();
  const loop: Record<string, unknown> = {};
  loop['self'] = loop;
  logger.info({ loop, long: 'x'.repeat(1_000_000), list: Array.from({ length: 10_000 }, (_, i) => i) }, 'big');
  assert.ok((lines[0] ?? '').length < 10_000);
});

test('loggers of standard error share one buffer, so a process may make any number of them', () => {
  createLogger({ level: 'error' });
  const listeners = process.listenerCount('exit');
  createLogger({ level: 'error' });
  assert.equal(process.listenerCount('exit'), listeners);
});
