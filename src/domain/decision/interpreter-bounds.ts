import type { Environment } from '@marcbachmann/cel-js';
import { type FunctionRegistry, makeStrict } from './strict-functions.ts';

// Two things the interpreter does without a bound, bounded on its evaluator (decisions/0012), which a macro of one's own is handed:
// - After an error `||`, `&&`, `all` and `exists` go on, and an error takes as long as thirty comparisons: of a list of 1,000 that nothing
//   can be compared with, several milliseconds. All four catch it in `tryEval`.
// - To choose an operator it takes the type of a list or map from its first element, and that element's from its own, and keeps what it
//   chose for each such type as long as the process lives: 0.6 MB for one request of lists in maps in lists. No operator that conditions
//   admit depends on it: elements are compared by their own types (`debugTypeDeep`; `debugType` says list or map).

interface Evaluator {
  readonly registry: FunctionRegistry;
  run(ast: unknown, context: unknown): unknown;
  tryEval(ast: unknown, context: unknown): unknown;
  debugType(value: unknown): unknown;
  debugTypeDeep(value: unknown): unknown;
}

interface TypeChecker {
  getType(name: string): unknown;
}

/** How many errors runs of one environment go on after. One run at a time: nothing in a condition waits. */
export interface ErrorBound {
  /** The next run goes on after `most` errors and ends with the one after them. */
  allow(most: number): void;
  /** Errors that were caught since. */
  readonly met: number;
}

/** Throws when the interpreter is not built as it was: then nothing here would hold. */
export function boundInterpreter(environment: Environment): ErrorBound {
  const evaluator = evaluatorOf(environment);
  const bound = { most: 0, met: 0 };
  evaluator.debugTypeDeep = evaluator.debugType;
  makeStrict(environment, evaluator.registry);
  evaluator.tryEval = (ast, context) => {
    try {
      return evaluator.run(ast, context);
    } catch (error) {
      bound.met += 1;
      // Each `tryEval` around this one throws it on, as the count only grows: the run ends.
      if (bound.met > bound.most) throw error;
      return error;
    }
  };
  return {
    allow(most) {
      bound.most = most;
      bound.met = 0;
    },
    get met() {
      return bound.met;
    },
  };
}

function evaluatorOf(environment: Environment): Evaluator {
  let found: Partial<Evaluator> | undefined;
  environment.registerFunction('evaluator(ast): bool', () => ({
    typeCheck: (checker: TypeChecker) => checker.getType('bool'),
    evaluate: (evaluator: Partial<Evaluator>) => {
      found = evaluator;
      return true;
    },
  }));
  environment.evaluate('evaluator(true)');
  const { run, tryEval, debugType, debugTypeDeep } = found ?? {};
  for (const method of [run, tryEval, debugType, debugTypeDeep]) {
    if (typeof method !== 'function') throw new Error('this release of cel-js has an evaluator that cannot be bounded');
  }
  return found as Evaluator;
}
