import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';

// What reflection looks up: files by name, by the symbols they define and by the extensions they declare. Built once from the
// committed descriptor set, whose source info carries the comments.

export interface DescriptorIndex {
  /** The encoded file and everything it imports, dependencies last; undefined: unknown file. */
  fileAndImports(name: string): readonly Uint8Array[] | undefined;
  /** Name of the file that defines a message, enum, service, method, field or enum value, by its full name. */
  fileOfSymbol(symbol: string): string | undefined;
  fileOfExtension(extendee: string, number: number): string | undefined;
  /** Numbers of the known extensions of a message; undefined: unknown message. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
}

export function createDescriptorIndex(descriptorSet: Uint8Array): DescriptorIndex {
  const files = new Map<string, FileDescriptorProto>();
  const symbols = new Map<string, string>();
  const extensions = new Map<string, Map<number, string>>();
  for (const file of fromBinary(FileDescriptorSetSchema, descriptorSet).file) {
    files.set(file.name, file);
    indexFile(file, symbols, extensions);
  }
  const encoded = new Map<string, Uint8Array>();
  const encode = (file: FileDescriptorProto): Uint8Array => {
    const bytes = encoded.get(file.name) ?? toBinary(FileDescriptorProtoSchema, file);
    encoded.set(file.name, bytes);
    return bytes;
  };
  return {
    fileAndImports: (name) => {
      const reached = new Set<string>();
      collect(files, name, reached);
      const found = [...reached].map((each) => files.get(each)).filter((each) => each !== undefined);
      return found.length === 0 ? undefined : found.map(encode);
    },
    fileOfSymbol: (symbol) => symbols.get(symbol),
    fileOfExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers: (extendee) => {
      if (!symbols.has(extendee)) return undefined;
      return [...(extensions.get(extendee)?.keys() ?? [])].sort((left, right) => left - right);
    },
  };
}

function collect(files: ReadonlyMap<string, FileDescriptorProto>, name: string, reached: Set<string>): void {
  const file = files.get(name);
  if (file === undefined || reached.has(name)) return;
  reached.add(name);
  for (const dependency of file.dependency) collect(files, dependency, reached);
}

function indexFile(
  file: FileDescriptorProto,
  symbols: Map<string, string>,
  extensions: Map<string, Map<number, string>>,
): void {
  const define = (scope: string, name: string): string => {
    const full = scope === '' ? name : `${scope}.${name}`;
    symbols.set(full, file.name);
    return full;
  };
  const extend = (scope: string, fields: readonly FieldDescriptorProto[]): void => {
    for (const field of fields) {
      define(scope, field.name);
      const extendee = field.extendee.replace(/^\./, '');
      const ofType = extensions.get(extendee) ?? new Map<number, string>();
      extensions.set(extendee, ofType.set(field.number, file.name));
    }
  };
  const message = (scope: string, type: DescriptorProto): void => {
    const full = define(scope, type.name);
    for (const field of [...type.field, ...type.oneofDecl]) define(full, field.name);
    for (const nested of type.nestedType) message(full, nested);
    // The values of an enum are siblings of the enum (C++ scoping), inside a message too.
    for (const each of type.enumType)
      for (const name of [each.name, ...each.value.map((value) => value.name)]) define(full, name);
    extend(full, type.extension);
  };
  for (const type of file.messageType) message(file.package, type);
  for (const each of file.enumType) {
    for (const name of [each.name, ...each.value.map((value) => value.name)]) define(file.package, name);
  }
  for (const service of file.service) {
    const full = define(file.package, service.name);
    for (const method of service.method) define(full, method.name);
  }
  extend(file.package, file.extension);
}
