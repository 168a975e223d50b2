import type { ASTNode } from '@marcbachmann/cel-js';
import {
  CALLS,
  COMPARE_COST,
  COMPREHENSIONS,
  CONVERSION_TIMES,
  CONVERSIONS,
  DURATION,
  durationCost,
  END_TIMES,
  ITERATIONS,
  JOIN_COST,
  KEY_COST,
  KEY_TIMES,
  MAX_COST,
  METHODS,
  NEEDLE,
  ROOTS,
  type ShortText,
  TIME_ZONE_COST,
} from './condition-costs.ts';
import {
  type ComparedPath,
  type IteratedPath,
  joins,
  longestText,
  merged,
  type Path,
  pathOf,
  type ShortPath,
  wholeOf,
} from './condition-path.ts';

// What a condition is made of: which attributes it reads, and the worst it can cost. Only what is listed here is admitted, so a new
// release of the interpreter cannot bring in what nobody has looked at. Regular expressions are left out: JavaScript's can take
// exponential time.

export type ConditionShape =
  | {
      readonly kind: 'shape';
      /** What it needs: `['context', 'ip']`. */
      readonly paths: readonly Path[];
      /** The worst cost of all but a comprehension through an attribute, reached where what is read is large or `usesZone`. */
      readonly fixedCost: number;
      /** That comprehension, and the cost of each element. */
      readonly iterated: IteratedPath | undefined;
      /** What comparisons go through, which takes longer the more is in it. */
      readonly compared: readonly ComparedPath[];
      readonly short: readonly ShortPath[];
      readonly usesZone: boolean;
    }
  | { readonly kind: 'problem'; readonly description: string };

class Refusal extends Error {
  readonly node: ASTNode;
  constructor(message: string, node: ASTNode) {
    super(message);
    this.node = node;
  }
}

export function shapeOf(ast: ASTNode): ConditionShape {
  const walk = new ShapeWalk();
  try {
    const cost = walk.cost(ast);
    const { iterated, usesZone, compared, short } = walk;
    if (cost > MAX_COST) {
      const each = iterated === undefined ? '' : `, ${iterated.cost} for each of ${ITERATIONS} elements`;
      throw new Refusal(`can cost ${cost} steps${each}; at most ${MAX_COST} are allowed`, ast);
    }
    const fixedCost = cost - ITERATIONS * (iterated?.cost ?? 0);
    return {
      kind: 'shape',
      paths: [...walk.paths.values()],
      fixedCost,
      iterated,
      compared: merged(compared),
      short,
      usesZone,
    };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { kind: 'problem', description: `${error.message} at ${textAt(error.node.input, error.node.start)}` };
  }
}

/** `line 1, column 9` of a position in a text. */
export function textAt(text: string, position: number): string {
  const before = text.slice(0, position).split('\n');
  return `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`;
}

class ShapeWalk {
  readonly paths = new Map<string, Path>();
  iterated: IteratedPath | undefined;
  usesZone = false;
  readonly compared: ComparedPath[] = [];
  readonly short: ShortPath[] = [];
  /** Comparisons around what is looked at, and how often each of them is made where its list is written out or unknown. */
  #comparing = 0;
  /** And as often as there are entries in each of these. */
  #per: readonly Path[] = [];
  /** What is looked at is a key as often as there are entries in each of these. */
  #keyPer: readonly Path[] | undefined;
  /** Comparisons in the body of the comprehension. */
  #inBody = 0;
  /** The variable of the comprehension around what is looked at. */
  #variable: string | undefined;
  /** It may be what was put together. */
  #isJoined = false;
  #comprehensions = 0;

  /** The worst cost of a node and what is below it. Throws Refusal. */
  cost(node: ASTNode): number {
    switch (node.op) {
      case 'value':
        if (typeof node.args === 'object' && node.args !== null) {
          throw new Refusal('unsigned numbers and bytes are not admitted: no attribute is one', node);
        }
        return 1;
      case 'id':
      case '.':
      case '[]':
        return this.#select(node);
      case 'call':
        return this.#call(node.args[0], undefined, node.args[1], node);
      case 'rcall':
        return this.#call(node.args[0], node.args[1], node.args[2], node);
      case 'list':
        return 1 + this.#sum(node.args);
      case 'map':
        return 1 + this.#sum(node.args.flat()) + node.args.filter(([key]) => !isLiteral(key)).length * KEY_COST;
      case '!_':
      case '-_':
        return 1 + this.cost(node.args);
      case '==':
      case '!=':
        if (isLiteral(node.args[0]) || isLiteral(node.args[1])) return this.#sum(node.args) + 1;
        return this.#within(1, undefined, () => this.#sum(node.args)) + this.#comparison();
      case 'in':
        return this.#membership(node.args[0], node.args[1]);
      case '+':
        return this.#within(1, undefined, () => this.#sum(node.args)) + JOIN_COST;
      case '&&':
      case '||':
      case '?:':
      case '-':
      case '*':
      case '/':
      case '%':
      case '<':
      case '<=':
      case '>':
      case '>=':
        return 1 + this.#sum(node.args);
      default:
        throw new Refusal(`\`${node.op}\` is not admitted`, node);
    }
  }

  #sum(nodes: readonly ASTNode[]): number {
    return nodes.reduce((sum, node) => sum + this.cost(node), 0);
  }

  #select(node: ASTNode): number {
    const path = this.#path(node);
    if (path !== undefined) {
      this.#note(path);
      return path.length;
    }
    if (node.op === '.') return 1 + this.cost(node.args[0]);
    if (node.op === '[]') {
      const [value, key] = node.args;
      return 1 + this.cost(value) + this.#within(KEY_TIMES, undefined, () => this.cost(key));
    }
    return 1;
  }

  #path(node: ASTNode): Path | undefined {
    return pathOf(node, this.#variable);
  }

  #note(path: Path): void {
    this.paths.set(JSON.stringify(path), path);
    if (this.#comparing > 0) this.compared.push({ path, times: this.#comparing, per: this.#per });
    if (this.#keyPer !== undefined) this.compared.push({ path, times: KEY_TIMES, per: this.#keyPer });
  }

  /** Walks what is compared `times` times, and that as often as there are entries in `per`. */
  #within(times: number, per: Path | undefined, walk: () => number): number {
    const [comparing, before] = [this.#comparing, this.#per];
    // One inside another: at worst each is made as often as all of them.
    this.#comparing = Math.max(comparing, 1) * times + (comparing > 0 ? times : 0);
    if (per !== undefined) this.#per = [...before, per];
    if (this.#variable !== undefined) this.#inBody += times;
    const cost = walk();
    this.#comparing = comparing;
    this.#per = before;
    return cost;
  }

  /** Walks what only a number is made of: comparisons around it do not go through it. */
  #apart(walk: () => number): number {
    const [comparing, keyPer] = [this.#comparing, this.#keyPer];
    this.#comparing = 0;
    this.#keyPer = undefined;
    const cost = walk();
    this.#comparing = comparing;
    this.#keyPer = keyPer;
    return cost;
  }

  /** Elements of one list are gone through once in all, however deep they are compared, and by few comparisons: each costs 1,000 times. */
  #comparison(): number {
    return this.#variable === undefined ? COMPARE_COST : 2;
  }

  #membership(element: ASTNode, list: ASTNode): number {
    if (list.op === 'list' || list.op === 'map') {
      const items = list.op === 'map' ? KEY_TIMES : list.args.length;
      const own = this.#within(items, undefined, () => this.cost(element));
      return 1 + own + this.#within(1, undefined, () => this.cost(list));
    }
    this.#requireGiven(list);
    const path = this.#path(list);
    // Whether it is compared with all of a list or looked up in a map once, nobody knows yet.
    const around = this.#keyPer;
    this.#keyPer = this.#per;
    const own = this.#within(path === undefined ? ITERATIONS : 1, path, () => this.cost(element));
    this.#keyPer = around;
    return own + this.#within(1, undefined, () => this.cost(list)) + this.#comparison();
  }

  /** What was put together could be longer than anything that was given. */
  #requireGiven(node: ASTNode): void {
    if (isLiteral(node) || node.op === 'list' || node.op === 'map' || this.#path(node) !== undefined) return;
    if (node.op === 'id' || node.op === '.' || node.op === '[]') {
      const whole = wholeOf(node);
      if (whole.op === 'id' ? !this.#isJoined : !joins(whole)) return;
    }
    if (node.op === 'rcall' && COMPREHENSIONS.has(node.args[0])) return;
    throw new Refusal('only an attribute, or what is written out, can be searched or counted', node);
  }

  #call(name: string, receiver: ASTNode | undefined, args: readonly ASTNode[], node: ASTNode): number {
    if (receiver !== undefined && COMPREHENSIONS.has(name)) return this.#comprehension(receiver, args, node);
    const own = (receiver === undefined ? CALLS : METHODS).get(name);
    if (own === undefined) throw new Refusal(`\`${name}\` is not admitted`, node);
    if (name === 'has') return this.#has(args, node);
    if (name === 'contains' && this.#variable !== undefined) {
      throw new Refusal('`contains` is not admitted inside a comprehension', node);
    }
    const given = receiver === undefined ? args : [receiver, ...args];
    if (name === 'contains' || name === 'size') for (const each of given.slice(0, 1)) this.#requireGiven(each);
    if (name === 'contains' && args[0] !== undefined) this.#requireShort(args[0], NEEDLE, name);
    if (name === 'duration' && args[0] !== undefined) {
      return own + durationCost(this.#requireShort(args[0], DURATION, name)) + this.#sum(args);
    }
    if (name === 'size') return own + this.#apart(() => this.#sum(given));
    const zone = name.startsWith('get') && args.length > 0 ? TIME_ZONE_COST : 0;
    if (zone > 0) this.usesZone = true;
    const times = name.endsWith('sWith') ? END_TIMES : CONVERSIONS.has(name) ? CONVERSION_TIMES : 0;
    if (times === 0) return own + zone + this.#sum(given);
    return own + this.#within(times, undefined, () => this.#sum(given));
  }

  /** How long a text can be that must be short. */
  #requireShort(node: ASTNode, most: ShortText, name: string): number {
    const note = (path: Path): number => this.short.push({ path, chars: most.chars });
    const chars = longestText(node, this.#variable, most.chars, note);
    if (chars <= most.joined) return chars;
    throw new Refusal(
      `\`${name}\` takes at most ${most.joined} characters: written out, attributes of at most ${most.chars}, or both joined`,
      node,
    );
  }

  /** Asks about the last name only: what comes before it is needed. */
  #has(args: readonly ASTNode[], node: ASTNode): number {
    const [asked] = args;
    if (args.length !== 1 || asked?.op !== '.') throw new Refusal('`has` takes one attribute: has(context.ip)', node);
    const path = this.#path(asked);
    if (path === undefined) return 1 + this.cost(asked.args[0]);
    // `context`, `subject.attributes` and the like are always there.
    if (path.length > (path[0] === 'context' ? 2 : 3)) this.#note(path.slice(0, -1));
    return path.length;
  }

  #comprehension(receiver: ASTNode, args: readonly ASTNode[], node: ASTNode): number {
    if (this.#variable !== undefined) throw new Refusal('comprehensions must not be nested', node);
    this.#comprehensions += 1;
    if (this.#comprehensions > 1) throw new Refusal('at most one comprehension is allowed', node);
    const isListed = receiver.op === 'list';
    const path = this.#path(receiver);
    if (!isListed && path === undefined) {
      throw new Refusal('a comprehension goes through an attribute or a list written out', receiver);
    }
    const [variable, ...body] = args;
    if (variable?.op !== 'id') throw new Refusal('a comprehension begins with the name of its variable', node);
    if (ROOTS.has(variable.args)) throw new Refusal(`the variable must not be named ${variable.args}`, variable);
    const outside = this.cost(receiver);
    this.#variable = variable.args;
    this.#isJoined = isListed && joins(receiver);
    const [around, comparing] = [this.#per, this.#comparing];
    // Whatever is compared in the body is compared for each element, and so is what a body makes for a comparison around it.
    if (path !== undefined) this.#per = [...around, path];
    if (isListed) this.#comparing *= Math.max(receiver.args.length, 1);
    this.#inBody = 0;
    const first = this.compared.length;
    const inside = this.#sum(body);
    if (isListed) this.#listed(receiver.args, first);
    this.#variable = undefined;
    this.#isJoined = false;
    this.#per = around;
    this.#comparing = comparing;
    if (path !== undefined) this.iterated = { path, cost: inside + 1 };
    return outside + (isListed ? receiver.args.length : ITERATIONS) * (inside + 1);
  }

  /** The elements of a list written out are what the body compares, and it does so for each of them. */
  #listed(elements: readonly ASTNode[], first: number): void {
    const count = Math.max(elements.length, 1);
    for (const [at, each] of this.compared.entries()) {
      if (at >= first) this.compared[at] = { ...each, times: each.times * count };
    }
    const times = this.#inBody;
    if (times === 0) return;
    for (const element of elements) this.#within(times, undefined, () => this.cost(element));
  }
}

function isLiteral(node: ASTNode): boolean {
  return node.op === 'value';
}
