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

/** Beyond it a tag has three bytes. */
const MAX_FIELD = 2047;
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
    for (let index = 0; index < writes.length; index += 1) at = writes[index]?.(message, at) ?? at;
    return at;
  };
}

function compileField(field: DescField, within: readonly DescMessage[]): Write | undefined {
  const name = field.localName;
  if (field.number > MAX_FIELD || field.oneof !== undefined) return undefined;
  switch (field.fieldKind) {
    case 'message': {
      if (field.delimitedEncoding) return undefined;
      const child = compile(field.message, within);
      return child && ((message, at) => writeMessage(field.number, message[name], child, at));
    }
    case 'list':
      return compileList(field, within);
    case 'map':
      return compileMap(field);
    case 'enum':
      if (field.presence !== IMPLICIT_PRESENCE) return undefined;
      return (message, at) => writeNumber(field.number, message[name], at);
    case 'scalar':
      return field.presence === IMPLICIT_PRESENCE ? compileScalar(field.scalar, field.number, name) : undefined;
  }
}

function compileScalar(type: ScalarType, number: number, name: string): Write | undefined {
  switch (type) {
    case ScalarType.STRING:
      return (message, at) => (message[name] === '' ? at : writeText(number, message[name], at));
    case ScalarType.INT32:
      return (message, at) => writeNumber(number, message[name], at);
    case ScalarType.INT64:
      return (message, at) => writeNumber(number, fromBigInt(message[name]), at);
    case ScalarType.BOOL:
      return (message, at) => writeNumber(number, fromBoolean(message[name]), at);
    default:
      return undefined;
  }
}

function compileList(field: DescField & { fieldKind: 'list' }, within: readonly DescMessage[]): Write | undefined {
  const name = field.localName;
  if (field.listKind === 'message' && !field.delimitedEncoding) {
    const child = compile(field.message, within);
    if (child === undefined) return undefined;
    return (message, from) => {
      let at = from;
      for (const item of message[name] as readonly unknown[]) {
        if (item === undefined) throw new UnusualError();
        at = writeMessage(field.number, item, child, at);
      }
      return at;
    };
  }
  if (field.listKind !== 'scalar' || field.scalar !== ScalarType.STRING) return undefined;
  return (message, from) => {
    let at = from;
    for (const text of message[name] as readonly unknown[]) at = writeText(field.number, text, at);
    return at;
  };
}

/** Of texts by text: each an entry with key and value as fields 1 and 2, empty ones too. */
function compileMap(field: DescField & { fieldKind: 'map' }): Write | undefined {
  if (field.mapKey !== ScalarType.STRING || field.mapKind !== 'scalar' || field.scalar !== ScalarType.STRING)
    return undefined;
  const entry: Write = ({ key, value }, at) => writeText(2, value, writeText(1, key, at));
  return (message, from) => {
    let at = from;
    const texts = message[field.localName] as Fields;
    for (const key of Object.keys(texts)) at = writeMessage(field.number, { key, value: texts[key] }, entry, at);
    return at;
  };
}

function writeMessage(field: number, value: unknown, child: Write, from: number): number {
  if (value === undefined) return from;
  if (typeof value !== 'object' || value === null || from > SAFE_END) throw new UnusualError();
  const at = writeTag(field, LENGTH_DELIMITED, from);
  // One byte is kept for the length; a longer message is moved.
  const start = at + 1;
  const end = child(value as Fields, start);
  const length = end - start;
  if (length < 0x80) {
    scratch[at] = length;
    return end;
  }
  const moved = varintSize(length) - 1;
  if (end + moved > SAFE_END) throw new UnusualError();
  scratch.copyWithin(start + moved, start, end);
  writeVarint(length, at);
  return end + moved;
}

function writeText(field: number, text: unknown, from: number): number {
  if (typeof text !== 'string') throw new UnusualError();
  // At most three bytes of UTF-8 per character.
  if (from + 8 + text.length * 3 > SAFE_END) throw new UnusualError();
  const at = writeTag(field, LENGTH_DELIMITED, from);
  if (text.length < LOOP_CHARS) {
    let end = at + 1;
    let index = 0;
    for (; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) break;
      scratch[end] = code;
      end += 1;
    }
    if (index === text.length) {
      scratch[at] = text.length;
      return end;
    }
  }
  const bytes = Buffer.byteLength(text);
  const start = writeVarint(bytes, at);
  return start + scratch.write(text, start);
}

/** Zero is not written. Negative numbers, ten bytes each, are unusual. */
function writeNumber(field: number, value: unknown, at: number): number {
  if (value === 0) return at;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_NUMBER)
    throw new UnusualError();
  if (at > SAFE_END) throw new UnusualError();
  return writeVarint(value, writeTag(field, VARINT, at));
}

function fromBigInt(value: unknown): number {
  if (typeof value !== 'bigint') throw new UnusualError();
  return Number(value);
}

function fromBoolean(value: unknown): number {
  if (typeof value !== 'boolean') throw new UnusualError();
  return value ? 1 : 0;
}

function writeTag(field: number, wireType: number, at: number): number {
  const tag = field * 8 + wireType;
  if (tag < 0x80) {
    scratch[at] = tag;
    return at + 1;
  }
  scratch[at] = (tag & 0x7f) | 0x80;
  scratch[at + 1] = tag >>> 7;
  return at + 2;
}

function writeVarint(value: number, from: number): number {
  let rest = value;
  let at = from;
  // Where bitwise operators would cut it off.
  for (; rest > 0x7fff_ffff; at += 1) {
    scratch[at] = (rest % 0x80) + 0x80;
    rest = Math.floor(rest / 0x80);
  }
  for (; rest > 0x7f; at += 1) {
    scratch[at] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  scratch[at] = rest;
  return at + 1;
}

function varintSize(value: number): number {
  return value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : 4;
}
