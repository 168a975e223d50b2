import { dirname, isAbsolute, join } from 'node:path';
import { isScalar, type Node } from 'yaml';
import { parsePermission } from '../../domain/decision/permission.ts';
import type { Attributes, DecisionReason, Grant } from '../../domain/decision/use-cases.ts';
import type { ResourceRef, SubjectRef } from '../../domain/subject.ts';
import { Violations } from '../../domain/violations.ts';
import { CommandError, type CommandIo } from './command-io.ts';
import { parseResourceText, parseSubjectText, parseWhat } from './refs.ts';
import { problemText, YamlReader } from './yaml-reader.ts';

// Tests of a policy as a file: given these grants, these decisions are expected.
//
//   policy: policy.yaml
//   grants:
//     - user:7 editor document:42
//     - {subject: group:eng#member, role: editor, resource: folder:1, effect: deny, condition: context.late}
//   parents: {document:42: folder:1}
//   attributes: {user:7: {department: sales}}
//   disabled: [user:9]
//   tests:
//     - {check: user:7 documents:read document:42, context: {late: false}, expect: allow}

export interface PolicyTest {
  readonly name: string;
  readonly subject: SubjectRef;
  readonly permission: string;
  readonly resource?: ResourceRef | undefined;
  readonly context?: Attributes | undefined;
  readonly subjectProperties?: Attributes | undefined;
  readonly resourceProperties?: Attributes | undefined;
  readonly expect: 'allow' | 'deny';
  readonly reason?: DecisionReason | undefined;
  readonly line: number;
}

export interface TestFile {
  readonly path: string;
  /** Path of the policy; undefined: the file names none. */
  readonly policy: string | undefined;
  readonly grants: readonly Grant[];
  readonly parents: readonly { readonly child: ResourceRef; readonly parent: ResourceRef }[];
  readonly attributes: readonly { readonly subject: SubjectRef; readonly attributes: Attributes }[];
  readonly disabled: readonly SubjectRef[];
  readonly tests: readonly PolicyTest[];
}

const CHECK_FORM = 'must be `SUBJECT PERMISSION [RESOURCE]`, for example `user:7 documents:read document:42`';
const GRANT_FORM = 'must be `SUBJECT ROLE-OR-PERMISSION [RESOURCE]`, for example `user:7 editor document:42`';

/** Throws CommandError with every fault and its place. */
export async function readTestFile(io: CommandIo, path: string): Promise<TestFile> {
  let text: string;
  try {
    text = await io.readFile(path);
  } catch (error) {
    throw new CommandError(`${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
  const reader = new YamlReader(text);
  const top = reader.map(reader.root, 'a test file', [
    'policy',
    'grants',
    'parents',
    'attributes',
    'disabled',
    'tests',
  ]);
  const policy = reader.text(top?.get('policy'), 'policy');
  const file: TestFile = {
    path,
    policy: policy === undefined || isAbsolute(policy) ? policy : join(dirname(path), policy),
    grants: reader
      .list(top?.get('grants'), 'grants')
      .flatMap((node, index) => grantIn(reader, node, `given-${index + 1}`) ?? []),
    parents: [...(reader.map(top?.get('parents'), 'parents') ?? [])].flatMap(([name, node]) => {
      const child = parseResourceText(name);
      const parent = resourceIn(reader, node);
      if (child === undefined) reader.fault(node, `${name} must be \`type:id\`, for example \`document:42\``);
      return child === undefined || parent === undefined ? [] : { child, parent };
    }),
    attributes: [...(reader.map(top?.get('attributes'), 'attributes') ?? [])].flatMap(([name, node]) => {
      const subject = parseResourceText(name);
      if (subject === undefined) reader.fault(node, `${name} must be \`type:id\`, for example \`user:7\``);
      const isMap = reader.map(node, `attributes of ${name}`) !== undefined;
      const attributes = reader.value(node, `attributes of ${name}`) as Attributes;
      return subject === undefined || !isMap ? [] : { subject, attributes };
    }),
    disabled: reader.list(top?.get('disabled'), 'disabled').flatMap((node) => subjectIn(reader, node) ?? []),
    tests: reader.list(top?.get('tests'), 'tests').flatMap((node) => testIn(reader, node) ?? []),
  };
  if (reader.problems.length > 0) {
    throw new CommandError(reader.problems.map((each) => problemText(path, each)).join('\n'));
  }
  return file;
}

function grantIn(reader: YamlReader, node: Node, id: string): Grant | undefined {
  if (isScalar(node)) {
    const [who = '', what = '', where, more] = String(node.value).trim().split(/\s+/);
    const subject = parseSubjectText(who);
    const resource = where === undefined ? undefined : parseResourceText(where);
    if (subject === undefined || what === '' || more !== undefined || (where !== undefined && resource === undefined)) {
      reader.fault(node, `a grant ${GRANT_FORM}`);
      return undefined;
    }
    return { id, subject, what: parseWhat(what), resource, effect: 'allow' };
  }
  const members = reader.map(node, 'a grant', [
    'subject',
    'role',
    'permission',
    'resource',
    'effect',
    'condition',
    'expire_time',
  ]);
  const subject = subjectIn(reader, members?.get('subject') ?? node);
  const role = reader.text(members?.get('role'), 'role');
  const permission = reader.text(members?.get('permission'), 'permission');
  if ((role === undefined) === (permission === undefined))
    reader.fault(node, 'a grant has either a role or a permission');
  const effect = reader.text(members?.get('effect'), 'effect') ?? 'allow';
  if (effect !== 'allow' && effect !== 'deny') reader.fault(members?.get('effect'), 'effect must be allow or deny');
  const expiresAt = timeIn(reader, members?.get('expire_time'));
  const condition = reader.text(members?.get('condition'), 'condition');
  if (subject === undefined) return undefined;
  return {
    id,
    subject,
    what: permission === undefined ? { kind: 'role', role: role ?? '' } : { kind: 'permission', permission },
    resource: resourceIn(reader, members?.get('resource')),
    effect: effect === 'allow' ? 'allow' : 'deny',
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(condition === undefined ? {} : { condition }),
  };
}

function testIn(reader: YamlReader, node: Node): PolicyTest | undefined {
  const known = ['name', 'check', 'context', 'subject_properties', 'resource_properties', 'expect', 'reason'];
  const members = reader.map(node, 'a test', known);
  if (members === undefined) return undefined;
  const text = reader.text(members.get('check'), 'check') ?? '';
  const [who = '', permission = '', where, more] = text.trim().split(/\s+/);
  const subject = parseSubjectText(who);
  const resource = where === undefined ? undefined : parseResourceText(where);
  const expect = reader.text(members.get('expect'), 'expect');
  if (expect !== 'allow' && expect !== 'deny')
    reader.fault(members.get('expect') ?? node, 'expect must be allow or deny');
  if (subject === undefined || more !== undefined || (where !== undefined && resource === undefined)) {
    reader.fault(members.get('check') ?? node, `check ${CHECK_FORM}`);
    return undefined;
  }
  const violations = new Violations();
  parsePermission(permission, 'the permission', violations);
  for (const { description } of violations.noted)
    reader.fault(members.get('check') ?? node, `the permission ${description}`);
  return {
    name: reader.text(members.get('name'), 'name') ?? text,
    subject,
    permission,
    resource,
    context: attributesIn(reader, members, 'context'),
    subjectProperties: attributesIn(reader, members, 'subject_properties'),
    resourceProperties: attributesIn(reader, members, 'resource_properties'),
    expect: expect === 'allow' ? 'allow' : 'deny',
    reason: reasonIn(reader, members.get('reason')),
    line: reader.lineOf(node),
  };
}

function reasonIn(reader: YamlReader, node: Node | undefined): DecisionReason | undefined {
  const text = reader.text(node, 'reason');
  if (text === undefined) return undefined;
  const known = REASONS.find((reason) => reason === text);
  if (known === undefined) reader.fault(node, `${text} is no reason; known are ${REASONS.join(', ')}`);
  return known;
}

/** Those that a decision from files can have. */
const REASONS = [
  'GRANTED',
  'NO_MATCH',
  'DENIED_BY_RULE',
  'CONTEXT_MISSING',
  'CONDITION_ERROR',
  'UNKNOWN_PERMISSION',
  'SUBJECT_DISABLED',
] as const satisfies readonly DecisionReason[];

function attributesIn(reader: YamlReader, members: ReadonlyMap<string, Node>, name: string): Attributes | undefined {
  const node = members.get(name);
  return reader.map(node, name) === undefined ? undefined : (reader.value(node, name) as Attributes);
}

function subjectIn(reader: YamlReader, node: Node): SubjectRef | undefined {
  const subject = isScalar(node) ? parseSubjectText(String(node.value)) : undefined;
  if (subject === undefined) reader.fault(node, 'a subject must be `type:id`, for example `user:7`');
  return subject;
}

function resourceIn(reader: YamlReader, node: Node | undefined): ResourceRef | undefined {
  if (node === undefined) return undefined;
  const resource = isScalar(node) ? parseResourceText(String(node.value)) : undefined;
  if (resource === undefined) reader.fault(node, 'a resource must be `type:id`, for example `document:42`');
  return resource;
}

function timeIn(reader: YamlReader, node: Node | undefined): number | undefined {
  const text = reader.text(node, 'expire_time');
  if (text === undefined) return undefined;
  const time = Date.parse(text);
  if (Number.isFinite(time)) return time;
  reader.fault(node, 'expire_time must be a time such as 2030-01-31T12:00:00Z');
  return undefined;
}
