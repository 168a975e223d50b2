import { createInterface } from 'node:readline';
import { startRealProvider } from './real-provider.ts';

// The provider of real-provider.ts for tests in other languages: `node real-provider-process.ts <redirect URI>`. It prints one line of JSON
// that says where it is. For each line {"account": "ada" | null, "url": "<authorization URL>"} on its input it prints the parameters that
// the browser brings back, and ends when its input does.

const [redirectUri = ''] = process.argv.slice(2);
const real = await startRealProvider(redirectUri);

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

const { issuer, caFile, clientId, clientSecret } = real;
print({ issuer, caFile, clientId, clientSecret });
for await (const line of createInterface({ input: process.stdin })) {
  const { account, url } = JSON.parse(line) as { account: string | null; url: string };
  real.account = account ?? undefined;
  print(Object.fromEntries(await real.browse(url)));
}
await real[Symbol.asyncDispose]();
