import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { freePort } from './mongo-server/free-port.ts';
import { mongoJavaServerJars } from './mongo-server/jars.ts';

// A server that speaks MongoDB's protocol, for tests: MONGODB_URI if it is set, else a `mongod` on the PATH, else
// mongo-java-server (in memory, under Java, fetched by Maven). docs/mongodb.md says what the last one cannot show.

export interface MongoServer {
  /** Without a database: each test names its own. */
  readonly uri: string;
  readonly kind: 'given' | 'mongod' | 'mongo-java-server';
  stop(): Promise<void>;
}

/** Why there is no server on this machine. */
export interface NoMongoServer {
  readonly skipped: string;
}

const LAUNCHER = join(import.meta.dirname, 'mongo-server', 'Launcher.java');
/** A cold machine compiles the launcher first; 0.8 s where this was written. */
const START_TIMEOUT_MS = 60_000;

/** Starts (or finds) a server. With CI=true a machine that cannot run one is an error: the MongoDB half must not be skipped there. */
export async function startMongoServer(): Promise<MongoServer | NoMongoServer> {
  const given = process.env['MONGODB_URI'];
  if (given !== undefined && given !== '') return { uri: given, kind: 'given', stop: async () => {} };
  if (await onPath('mongod')) return startMongod();
  const missing = (await onPath('java')) ? undefined : 'no MONGODB_URI, no mongod and no java on the PATH';
  if (missing !== undefined) return skipped(missing);
  const jars = await mongoJavaServerJars();
  if ('missing' in jars) return skipped(`no MONGODB_URI, no mongod on the PATH, and ${jars.missing}`);
  return startJavaServer(jars.folder);
}

function skipped(reason: string): NoMongoServer {
  const message = `the MongoDB half of the tests was skipped: ${reason}`;
  if (process.env['CI'] === 'true') throw new Error(`${message}; with CI=true that is a failure`);
  return { skipped: message };
}

async function startJavaServer(folder: string): Promise<MongoServer> {
  const options = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx768m'];
  const child = spawn('java', [...options, '-cp', join(folder, '*'), LAUNCHER], { stdio: ['pipe', 'pipe', 'pipe'] });
  const port = await lineOf(child, /^port (\d+)$/, 'mongo-java-server');
  // A test that forgets `stop` ends all the same, and with it the server, whose standard input closes.
  child.unref();
  for (const output of [child.stdout, child.stderr]) if (output instanceof Socket) output.unref();
  return {
    uri: `mongodb://127.0.0.1:${port}`,
    kind: 'mongo-java-server',
    stop: async () => {
      child.ref();
      child.stdin?.end();
      await exited(child);
    },
  };
}

/** A one-node replica set, so that majority reads and retried writes are the real ones. */
async function startMongod(): Promise<MongoServer> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-mongod-'));
  const port = await freePort();
  const place = ['--dbpath', folder, '--bind_ip', '127.0.0.1', '--port', String(port)];
  const child = spawn('mongod', [...place, '--replSet', 'rs0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  process.once('exit', () => child.kill('SIGKILL'));
  await lineOf(child, /(Waiting for connections)/, 'mongod');
  const { initiateReplicaSet } = await import('./mongo-server/replica-set.ts');
  await initiateReplicaSet(port);
  return {
    uri: `mongodb://127.0.0.1:${port}/?replicaSet=rs0`,
    kind: 'mongod',
    stop: async () => {
      child.kill('SIGTERM');
      await exited(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The first line of standard output that matches, or an error that says what the process printed instead. */
async function lineOf(child: ChildProcess, pattern: RegExp, name: string): Promise<string> {
  if (child.stdout === null || child.stderr === null) throw new Error(`${name} has no output to read`);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const lines = createInterface({ input: child.stdout });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
  try {
    for await (const line of lines) {
      const match = pattern.exec(line)?.[1];
      if (match !== undefined) return match;
      said = `${said}${line}\n`.slice(-4000);
    }
    throw new Error(`${name} ended before it listened:\n${said}`);
  } finally {
    clearTimeout(timer);
    child.stdout.resume();
  }
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await once(child, 'exit');
  clearTimeout(timer);
}

async function onPath(command: string): Promise<boolean> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const found = await access(join(folder, command)).then(
      () => true,
      () => false,
    );
    if (found) return command !== 'java' || javaRuns();
  }
  return false;
}

/** Some systems ship a `java` that only says where to get one. */
function javaRuns(): Promise<boolean> {
  return promisify(execFile)('java', ['-version']).then(
    () => true,
    () => false,
  );
}
