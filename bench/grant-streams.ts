import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationService } from '../gen/sallyport/v1/authorization_pb.ts';
import { Effect } from '../gen/sallyport/v1/decision_pb.ts';
import { PolicyService } from '../gen/sallyport/v1/policy_pb.ts';
import { grpcClient } from '../test/support/grpc-client.ts';
import { startService } from '../test/support/service-process.ts';
import { cpuSeconds } from './cpu-time.ts';
import { seed } from './setup.ts';
import { startOn } from './start-on.ts';

// `node bench/grant-streams.ts [grants]`: a service on its embedded store imports that many grants (1,000,000) through one stream and exports
// them again, then starts anew and answers one question about them. Prints its CPU time and the resident memory on the way.

const PER_MESSAGE = 1000;
const total = Number(process.argv[2] ?? 1_000_000);
let target = await startOn('');
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Resident memory now and at most so far, MB, from /proc. */
function memory(): string {
  const status = readFileSync(`/proc/${target.pid}/status`, 'utf8');
  const field = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
  return `${field('VmRSS').toFixed(0)} MB now, ${field('VmHWM').toFixed(0)} MB at most`;
}

function* messages() {
  for (let from = 0; from < total; from += PER_MESSAGE) {
    if (from % 100_000 === 0)
      print(`${String(from).padStart(9)} sent, ${(cpuSeconds(target.pid) ?? 0).toFixed(1)} s of CPU: ${memory()}`);
    const grants = Array.from({ length: Math.min(PER_MESSAGE, total - from) }, (_, at) => ({
      subject: { type: 'user', id: `user-${from + at}` },
      what: { case: 'role', value: 'viewer' } as const,
      resource: { type: 'document', id: `document-${from + at}` },
      effect: Effect.ALLOW,
    }));
    yield { grants };
  }
}

async function timed(name: string, run: () => Promise<bigint | number>): Promise<void> {
  const cpu = cpuSeconds(target.pid) ?? 0;
  const begin = performance.now();
  const count = await run();
  const seconds = (performance.now() - begin) / 1000;
  const used = (cpuSeconds(target.pid) ?? 0) - cpu;
  print(`${name} ${count} grants in ${seconds.toFixed(1)} s, ${used.toFixed(1)} s of CPU: ${memory()}`);
}

await seed(target);
const policy = grpcClient(PolicyService, target.grpc, { key: target.adminKey });
await timed('imported', async () => (await policy.importGrants(messages())).grantCount);
await timed('exported', async () => {
  let count = 0;
  for await (const { grants } of policy.exportGrants({})) count += grants.length;
  return count;
});
await sleep(5000);
print(`five seconds later: ${memory()}`);
policy.close();
await target.stop();
target = await startService({ dataDir: target.dataDir, env: { SALLYPORT_LOG_LEVEL: 'warn' } });
print(
  `started again in ${(target.readyAfterMs / 1000).toFixed(1)} s, ${cpuSeconds(target.pid)?.toFixed(1)} s of CPU: ${memory()}`,
);
const decisions = grpcClient(AuthorizationService, target.grpc, { key: target.adminKey });
const { dataDir } = target;
await timed('one question about', async () => {
  const { decision } = await decisions.authorize({
    principal: { identity: { case: 'subject', value: { type: 'user', id: `user-${total - 1}` } } },
    permission: 'documents:read',
    resource: { type: 'document', id: `document-${total - 1}` },
  });
  if (decision?.effect !== Effect.ALLOW) throw new Error('the last grant is not there');
  return total;
});
decisions.close();
await target.stop();
rmSync(dataDir, { recursive: true, force: true });
