import { casbin, casl, type Engine } from './others.ts';
import { ask, indexOf, questions } from './world.ts';

// `npm ci && npm run bench` in this folder: decisions inside one process, ours beside the others in the same run, in CPU time. Prints a
// table; asserts only that all engines give the same answers. Memory, writes and restores: ../decision-paths.ts.

const ROUNDS = 5;
const cache = new Map<number, ReturnType<typeof indexOf>>();
const print = (line: string): void => void process.stdout.write(`${line}\n`);

interface Figure {
  readonly microseconds: number;
  readonly answers: readonly boolean[];
}

function measure(engine: Engine, grants: number, asked: number): Figure {
  const each = questions(grants, asked);
  const answers = each.map((question) => engine.ask(question));
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const begun = cpuMs();
    for (const question of each) engine.ask(question);
    times.push(((cpuMs() - begun) * 1000) / asked);
  }
  return { microseconds: times.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0, answers };
}

/** CPU time of this process, ms: on a machine that others use too, wall time measures them as well. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function ours(grants: number): Engine {
  const index = indexOf(grants);
  return { name: 'Sallyport', ask: (asked) => ask(index, asked) };
}

print('| engine | grants | us per decision |\n|---|---|---|');
const row = (name: string, grants: number, us: number): void => print(`| ${name} | ${grants} | ${us.toFixed(2)} |`);
for (const grants of [1000, 10_000, 100_000, 1_000_000]) {
  const mine = measure(ours(grants), grants, 100_000);
  row('Sallyport', grants, mine.microseconds);
  if (grants > 10_000) continue;
  for (const other of [await casbin(grants), await casl(grants)]) {
    const asked = other.name === 'node-casbin' ? 2000 : 100_000;
    const figure = measure(other, grants, asked);
    row(other.name, grants, figure.microseconds);
    const expected = questions(grants, asked).map((question) => ask(indexOfCached(grants), question));
    if (figure.answers.some((answer, at) => answer !== expected[at]))
      throw new Error(`${other.name} answers otherwise`);
  }
}

function indexOfCached(grants: number): ReturnType<typeof indexOf> {
  const known = cache.get(grants) ?? indexOf(grants);
  cache.set(grants, known);
  return known;
}
