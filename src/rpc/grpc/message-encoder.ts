import { type DescField, type DescMessage, type Message, ScalarType, toBinary } from '@bufbuild/protobuf';

// Encodes answers as `toBinary` does, byte for byte, for the kinds of fields that small answers have. `toBinary` makes two buffers outside
// the heap per message, which costs an answer from memory about as much as the decision in it; here one buffer serves every message,
// and what is sent is copied out of Buffer's pool. A message with a field of any other kind, or one that is too long, goes to `toBinary`.

/** Writes what a message holds from a position in `scratch` on, and answers the position after it. */
type Write = (message: Fields, at: number) => number;
type Fields = Readonly<Record<string, unknown>>;

/** Bytes of the shared buffer. Messages are written without a break, so one is enough. */
const SCRATCH_BYTES = 16 * 1024;
/** A write that would end after this starts anew with `toBinary`: what is left is more than a tag, a length or a number takes. */
const SAFE_END = SCRATCH_BYTES - 32;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

const LENGTH_DELIMITED = 2;
const VARINT = 0;
/** Shorter texts are copied by a loop: the call into the UTF-8 encoder costs more. */
const LOOP_CHARS = 48;
/** FeatureSet.FieldPresence.IMPLICIT of descriptor.proto: the zero value is not written. */
const IMPLICIT_PRESENCE = 2;
/** Seconds of a timestamp for longer than anybody will ask, and exact in a double. */
const MAX_NUMBER = 2 ** 42;

/** This message is for `toBinary`. */
class UnusualError extends Error {}

const encoders = new WeakMap<DescMessage, (message: Message) => Buffer>();

/** The message in the protobuf format. Throws what `toBinary` throws for one that cannot be encoded. */
export function encodeMessage(desc: DescMessage, message: Message): Buffer {
  let encode = encoders.get(desc);
  if (encode === undefined) {
    encode = messageEncoder(desc);
    encoders.set(desc, encode);
  }
  return encode(message);
}

function messageEncoder(desc: DescMessage): (message: Message) => Buffer {
  const write = compile(desc, []);
  if (write === undefined) return (message) => viaLibrary(desc, message);
  return (message) => {
    try {
      const end = write(message as unknown as Fields, 0);
      const bytes = Buffer.allocUnsafe(end);
      scratch.copy(bytes, 0, 0, end);
      return bytes;
    } catch {
      // Too long, or not of its type: the library knows how to write the one and how to report the other.
      return viaLibrary(desc, message);
    }
  };
}

function viaLibrary(desc: DescMessage, message: Message): Buffer {
  const bytes = toBinary(desc, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Undefined: some field of it, or of a message in it, is of no kind that is known here. */
function compile(desc: DescMessage, within: readonly DescMessage[]): Write | undefined {
  if (within.includes(desc)) return undefined;
  const writes: Write[] = [];
  for (const field of [...desc.fields].sort((a, b) => a.number - b.number)) {
    const write = compileField(field, [...within, desc]);
    if (write === undefined) return undefined;
    writes.push(write);
  }
  return (message, from) => {
    if (message['$typeName'] !== desc.typeName || message['$unknown'] !== undefined) throw new UnusualError();
    let at = from;
    for (const write of writes) at = write(message, at);
    return at;
  };
}

function compileField(field: DescField, within: readonly DescMessage[]): Write | undefined {
  const name = field.localName;
  const tag = (wireType: number): number => field.number * 8 + wireType;
  // Beyond field 15 a tag has two bytes.
  if (field.number > 15 || field.oneof !== undefined) return undefined;
  if (field.fieldKind === 'message' && !field.delimitedEncoding) {
    const child = compile(field.message, within);
    return child && ((message, at) => writeMessage(tag(LENGTH_DELIMITED), message[name], child, at));
  }
  if (field.fieldKind === 'list' && field.listKind === 'scalar' && field.scalar === ScalarType.STRING) {
    return (message, at) => writeTexts(tag(LENGTH_DELIMITED), message[name] as readonly string[], at);
  }
  if (field.presence !== IMPLICIT_PRESENCE) return undefined;
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.STRING) {
    return (message, at) => {
      const text = message[name];
      return text === '' ? at : writeText(tag(LENGTH_DELIMITED), text, at);
    };
  }
  if (field.fieldKind === 'enum') return (message, at) => writeNumber(tag(VARINT), message[name], at);
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.INT32) {
    return (message, at) => writeNumber(tag(VARINT), message[name], at);
  }
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.INT64) {
    return (message, at) => writeNumber(tag(VARINT), fromBigInt(message[name]), at);
  }
  if (field.fieldKind === 'scalar' && field.scalar === ScalarType.BOOL) {
    return (message, at) => writeNumber(tag(VARINT), message[name] === false ? 0 : booleanOf(message[name]), at);
  }
  return undefined;
}

function writeMessage(tag: number, value: unknown, child: Write, at: number): number {
  if (value === undefined) return at;
  if (typeof value !== 'object' || value === null || at > SAFE_END) throw new UnusualError();
  scratch[at] = tag;
  // One byte is kept for the length; a longer message is moved.
  const start = at + 2;
  const end = child(value as Fields, start);
  const length = end - start;
  if (length < 0x80) {
    scratch[at + 1] = length;
    return end;
  }
  const moved = varintSize(length) - 1;
  if (end + moved > SAFE_END) throw new UnusualError();
  scratch.copyWithin(start + moved, start, end);
  writeVarint(length, at + 1);
  return end + moved;
}

function writeTexts(tag: number, texts: readonly string[], from: number): number {
  let at = from;
  for (const text of texts) at = writeText(tag, text, at);
  return at;
}

function writeText(tag: number, text: unknown, at: number): number {
  if (typeof text !== 'string') throw new UnusualError();
  // At most three bytes of UTF-8 per character.
  if (at + 8 + text.length * 3 > SAFE_END) throw new UnusualError();
  scratch[at] = tag;
  if (text.length < LOOP_CHARS) {
    let end = at + 2;
    let index = 0;
    for (; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) break;
      scratch[end] = code;
      end += 1;
    }
    if (index === text.length) {
      scratch[at + 1] = text.length;
      return end;
    }
  }
  const bytes = Buffer.byteLength(text);
  const start = writeVarint(bytes, at + 1);
  return start + scratch.write(text, start);
}

/** Zero is not written. Negative numbers, ten bytes each, are unusual. */
function writeNumber(tag: number, value: unknown, at: number): number {
  if (value === 0) return at;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_NUMBER)
    throw new UnusualError();
  if (at > SAFE_END) throw new UnusualError();
  scratch[at] = tag;
  return writeVarint(value, at + 1);
}

function fromBigInt(value: unknown): number {
  if (typeof value !== 'bigint' || value < 0n || value > BigInt(MAX_NUMBER)) throw new UnusualError();
  return Number(value);
}

function booleanOf(value: unknown): number {
  if (value !== true) throw new UnusualError();
  return 1;
}

function writeVarint(value: number, from: number): number {
  let rest = value;
  let at = from;
  for (; rest > 0x7f; at += 1) {
    scratch[at] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
  }
  scratch[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  return value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}
