import { createReadStream } from 'node:fs';
import { StartFailure } from '../../cli/start-failure.ts';
import { type CollectionName, collectionNames } from '../../domain/storage.ts';
import { textLines } from '../../platform/text-lines.ts';
import {
  createLineDigest,
  type ExportEnd,
  type ExportHeader,
  FORMAT,
  FORMAT_VERSION,
  type PortableLine,
} from './portable-lines.ts';

// Reading an export. It is walked more than once, so that nothing is written before all of it was seen to be whole.

/** What the file says of itself, once it was read to its end and its digest was right. */
export interface PortableFile {
  readonly path: string;
  readonly header: ExportHeader;
  readonly end: ExportEnd;
}

/** Throws StartFailure with the line when the file is no export, of a later format, cut short or altered. */
export async function checkPortableFile(path: string, onLine: (count: number) => void): Promise<PortableFile> {
  const digest = createLineDigest();
  let header: ExportHeader | undefined;
  let end: ExportEnd | undefined;
  let number = 0;
  for await (const text of textsOf(path)) {
    number += 1;
    if (end !== undefined) throw fault(path, number, 'comes after the end');
    const value = parsed(path, number, text);
    if (header === undefined) header = headerOf(path, value);
    else if (isEnd(value)) end = value.end;
    else checkLine(path, number, value);
    if (end === undefined) digest.add(text);
    onLine(number);
  }
  if (header === undefined) throw new StartFailure(`${path} is empty`);
  if (end === undefined) throw new StartFailure(`${path} was cut short: its last line is missing`);
  const found = digest.end();
  if (found.lines !== end.lines || found.sha256 !== end.sha256) {
    throw new StartFailure(`${path} was altered: its digest is another one`);
  }
  return { path, header, end };
}

/** The lines between header and end of a file that was checked. */
export async function* linesOf({ path, end }: PortableFile): AsyncGenerator<PortableLine> {
  let number = 0;
  for await (const text of textsOf(path)) {
    number += 1;
    if (number > 1 && number <= end.lines) yield JSON.parse(text) as PortableLine;
  }
}

async function* textsOf(path: string): AsyncGenerator<string> {
  try {
    yield* textLines(createReadStream(path, 'utf8') as AsyncIterable<string>);
  } catch (error) {
    throw new StartFailure(`${path} cannot be read (${error instanceof Error ? error.message : String(error)})`);
  }
}

type Members = Readonly<Record<string, unknown>>;

function parsed(path: string, number: number, text: string): Members {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Members;
  } catch {
    // Said below, for both.
  }
  throw fault(path, number, 'is no JSON object');
}

function headerOf(path: string, value: Members): ExportHeader {
  if (value['format'] !== FORMAT) throw new StartFailure(`${path} is no export of Sallyport`);
  if (value['version'] !== FORMAT_VERSION) {
    throw new StartFailure(
      `${path} has format version ${String(value['version'])}; this release knows ${FORMAT_VERSION}`,
    );
  }
  return value as unknown as ExportHeader;
}

function isEnd(value: Members): value is Members & { readonly end: ExportEnd } {
  return typeof value['end'] === 'object' && value['end'] !== null;
}

function checkLine(path: string, number: number, value: Members): void {
  const [name] = Object.keys(value);
  const isDocument = collectionNames.includes(value['collection'] as CollectionName) && isObject(value['document']);
  const isOther = ['checkpoint', 'entry', 'event'].some((each) => name === each && isObject(value[each]));
  if (!isDocument && !isOther && typeof value['chunk'] !== 'string') throw fault(path, number, 'is of an unknown kind');
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;

const fault = (path: string, number: number, what: string): StartFailure =>
  new StartFailure(`${path}:${number}: this line ${what}`);
