import { readFileSync } from 'node:fs';
import type { FileRegistry } from '@bufbuild/protobuf';
import { createFileRegistry, fromBinary, isFieldSet } from '@bufbuild/protobuf';
import type { FileDescriptorProto } from '@bufbuild/protobuf/wkt';
import { FieldDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

// The committed descriptor set, the one that reflection serves: the contract with its comments, and what it imports.
const set = fromBinary(FileDescriptorSetSchema, readFileSync(new URL('../../gen/descriptors.binpb', import.meta.url)));

/** Everything in the set, by name. Throws when a file imports one that is not in it. */
export function readContract(): FileRegistry {
  return createFileRegistry(set);
}

/** Something in a .proto file that a comment belongs to. */
export interface Element {
  /** Path of the file below proto/. */
  readonly file: string;
  readonly kind: 'service' | 'method' | 'message' | 'field' | 'member' | 'oneof' | 'extension' | 'enum' | 'value';
  /** `Message.field`, `Service.Method`, `Enum.VALUE`. */
  readonly name: string;
  /** The declaration's text in its file begins on this line, counted from 0; undefined without source info. */
  readonly line: number | undefined;
  /** Of a field or an enum value. */
  readonly number: number | undefined;
  /** The text of the leading comment; empty when there is none. */
  readonly comment: string;
}

/** Every element of package sallyport.v1, with the comment that the descriptor set has for it. */
export function contractElements(): readonly Element[] {
  return set.file.filter((file) => file.package === 'sallyport.v1').flatMap(elementsOf);
}

function elementsOf(file: FileDescriptorProto): readonly Element[] {
  const locations = new Map((file.sourceCodeInfo?.location ?? []).map((place) => [place.path.join('.'), place]));
  const at = (kind: Element['kind'], name: string, path: readonly number[], number?: number): Element => {
    const place = locations.get(path.join('.'));
    return { file: file.name, kind, name, line: place?.span[0], number, comment: place?.leadingComments ?? '' };
  };
  // The numbers are those of the fields of google/protobuf/descriptor.proto.
  return [
    ...file.messageType.flatMap((type, i) => [
      at('message', type.name, [4, i]),
      // A member of a oneof is described together with it.
      ...type.field.map((field, j) => {
        const inOneof = isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex) && !field.proto3Optional;
        const kind = inOneof ? 'member' : 'field';
        return at(kind, `${type.name}.${field.name}`, [4, i, 2, j], field.number);
      }),
      // `optional` makes a oneof that stands nowhere in the file; they come last, so the others keep their places.
      ...type.oneofDecl
        .filter((_, j) => !type.field.some((field) => field.proto3Optional && field.oneofIndex === j))
        .map((oneof, j) => at('oneof', `${type.name}.${oneof.name}`, [4, i, 8, j])),
    ]),
    ...file.enumType.flatMap((type, i) => [
      at('enum', type.name, [5, i]),
      ...type.value.map((value, j) => at('value', `${type.name}.${value.name}`, [5, i, 2, j], value.number)),
    ]),
    ...file.service.flatMap((service, i) => [
      at('service', service.name, [6, i]),
      ...service.method.map((method, j) => at('method', `${service.name}.${method.name}`, [6, i, 2, j])),
    ]),
    ...file.extension.map((extension, i) => at('extension', extension.name, [7, i], extension.number)),
  ];
}
