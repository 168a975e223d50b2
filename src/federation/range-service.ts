import type { BreachedPasswords } from '../domain/identity/breached-passwords.ts';
import { Fault } from '../platform/faults.ts';

// The range protocol of Have I Been Pwned (https://haveibeenpwned.com/API/v3#PwnedPasswords): `GET <url>/<first 5 of the SHA-1>` answers
// lines `<other 35>:<count>`. Padding is asked for, so that the length of an answer says nothing; padded lines have the count 0.

const PREFIX_CHARS = 5;
const TIMEOUT_MS = 2_000;
/** A real answer has about 80 KB with padding. */
const MAX_BYTES = 1024 * 1024;
const LINE = /^([0-9A-F]{35}):(\d+)$/;

/** `url` is what the five characters are appended to, for example `https://api.pwnedpasswords.com/range/`. */
export function createRangeService(url: string): BreachedPasswords {
  return {
    has: async (digest, signal) => {
      const timeout = AbortSignal.timeout(TIMEOUT_MS);
      const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
      try {
        const suffix = digest.slice(PREFIX_CHARS);
        for (const line of (await read(url + digest.slice(0, PREFIX_CHARS), either)).split('\n')) {
          const [, known, count] = LINE.exec(line.trim()) ?? [];
          if (known === suffix) return Number(count) > 0;
        }
        return false;
      } catch (error) {
        if (signal?.aborted === true) throw signal.reason;
        throw new Fault('UNAVAILABLE', 'the service of breached passwords does not answer', { cause: error });
      }
    },
  };
}

async function read(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    signal,
    redirect: 'error',
    headers: { 'add-padding': 'true', 'user-agent': 'sallyport' },
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`it answered with status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) throw new Error('its answer is too long');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('latin1');
  // Something that is no list must not pass for an empty one.
  if (!LINE.test(text.slice(0, text.indexOf('\n') < 0 ? undefined : text.indexOf('\n')).trim())) {
    throw new Error('its answer is not in the range format');
  }
  return text;
}
