import { createPublicKey } from 'node:crypto';
import { compactVerify, importJWK } from 'jose';
import { createKeyWorld } from '../test/support/key-world.ts';

// `node bench/cold-tokens.ts`: how many tokens that were never seen one process verifies per second, against jose alone on the same tokens
// in the same run, and the CPU time that one takes, which what else runs on the machine disturbs less. What is ours on top of the signature is parsing, the key look-up, the claims, and remembering.

const TOKENS = 1000;
const ROUNDS = 6;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Round {
  readonly perSecond: number;
  /** Of all threads, per token. */
  readonly cpuMicros: number;
}

async function measured(work: () => Promise<void>): Promise<Round> {
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: (TOKENS * 1000) / (performance.now() - begun), cpuMicros: (user + system) / TOKENS };
}

function median(values: readonly number[]): number {
  return [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

for (const signingAlgorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  const { replica } = createKeyWorld({ publishMs: 900_000, maxAgeMs: 2_592_000_000 }, { signingAlgorithm });
  const { sign, judge, signingKeys } = replica();
  const [jwk] = (await signingKeys.jwks('default')).keys;
  // Fails when the set holds what is no public key: then the comparison means nothing.
  createPublicKey({ key: jwk as import('node:crypto').JsonWebKey, format: 'jwk' });
  const key = await importJWK({ ...jwk } as import('jose').JWK, signingAlgorithm);
  const cold: Round[] = [];
  const bare: Round[] = [];
  const warm: Round[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const tokens = await Promise.all(Array.from({ length: TOKENS }, () => sign()));
    const byJose = () =>
      measured(async () => {
        await Promise.all(tokens.map((token) => compactVerify(token, key)));
      });
    const byUs = () =>
      measured(async () => {
        for (const verdict of await Promise.all(tokens.map((token) => judge(token)))) {
          if (verdict !== 'valid') throw new Error(verdict);
        }
      });
    // Who goes first alternates. jose remembers no token, so that it may come second; ours has never seen one that comes first.
    const ours = round % 2 === 0 ? await byUs() : undefined;
    const theirs = await byJose();
    const first = [theirs, ours ?? (await byUs())] as const;
    const again = await measured(async () => {
      for (const token of tokens) await judge(token);
    });
    // The first one warms up.
    if (round === 0) continue;
    bare.push(first[0]);
    cold.push(first[1]);
    warm.push(again);
  }
  const middle = (rounds: readonly Round[], what: keyof Round): number => median(rounds.map((each) => each[what]));
  const ratio = (what: keyof Round): string => (middle(cold, what) / middle(bare, what)).toFixed(2);
  const told = (name: string, rounds: readonly Round[]): string =>
    `${name} ${Math.round(middle(rounds, 'perSecond'))}/s, ${middle(rounds, 'cpuMicros').toFixed(1)} us CPU`;
  print(
    `${signingAlgorithm}: ${told('jose', bare)}; ${told('cold', cold)}; ${told('warm', warm)}; ` +
      `cold to jose: rate ${ratio('perSecond')}, CPU ${ratio('cpuMicros')}`,
  );
}
