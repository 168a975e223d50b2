import { type DescMessage, type Message, toBinary } from '@bufbuild/protobuf';

// A message that answers many calls, and that nobody changes, is encoded once: for VerifyToken that was a twelfth of the call. What the call
// decides is decided at every call; only the bytes that tell it are kept, as long as the message is.

const encoded = new WeakMap<Message, Uint8Array | undefined>();

/** Says that the message will be sent again as it is. From now on it must not change. */
export function reusable<M extends Message>(message: M): M {
  encoded.set(message, undefined);
  return message;
}

/** The bytes; not to be changed. */
export function encodeMessage(schema: DescMessage, message: Message): Uint8Array {
  const known = encoded.get(message);
  if (known !== undefined) return known;
  const bytes = toBinary(schema, message);
  if (encoded.has(message)) encoded.set(message, bytes);
  return bytes;
}
