import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';

const MAX_ENUM_NAMES = 20;

/** In words what JSON form the field `name` (`sallyport.v1.Grant.effect`) below `root` takes; undefined: no such field. */
export function acceptedForm(root: DescMessage, name: string): string | undefined {
  for (const field of fieldsBelow(root)) if (`${field.parent.typeName}.${field.name}` === name) return formOf(field);
  return undefined;
}

/** The same of an enum by its type: the decoder does not tell in which field it was. */
export function acceptedEnum(root: DescMessage, typeName: string): string | undefined {
  for (const { name, enum: found } of fieldsBelow(root)) {
    if (found?.typeName === typeName) return `\`${name}\` must be ${enumForm(found.values.map((each) => each.name))}`;
  }
  return undefined;
}

function* fieldsBelow(root: DescMessage): Generator<DescField> {
  const seen = new Set<DescMessage>([root]);
  // A set that grows while it is walked: each type once.
  for (const message of seen) {
    for (const field of message.fields) {
      yield field;
      if (field.message !== undefined) seen.add(field.message);
    }
  }
}

function formOf(field: DescField): string {
  switch (field.fieldKind) {
    case 'scalar':
      return scalarForm(field.scalar);
    case 'enum':
      return enumForm(field.enum.values.map(({ name }) => name));
    case 'message':
      return messageForm(field.message.typeName);
    case 'map':
      return 'a JSON object';
    case 'list':
      switch (field.listKind) {
        case 'scalar':
          return `a JSON array, each element ${scalarForm(field.scalar)}`;
        case 'enum':
          return `a JSON array, each element ${enumForm(field.enum.values.map(({ name }) => name))}`;
        case 'message':
          return `a JSON array, each element ${messageForm(field.message.typeName)}`;
      }
  }
}

function enumForm(names: readonly string[]): string {
  const given = names.filter((name) => !name.endsWith('_UNSPECIFIED'));
  const more = given.length > MAX_ENUM_NAMES ? ` and ${given.length - MAX_ENUM_NAMES} more` : '';
  return `one of ${given.slice(0, MAX_ENUM_NAMES).join(', ')}${more}`;
}

/** The same of a message by its type. */
export function messageForm(typeName: string): string {
  switch (typeName) {
    case 'google.protobuf.Timestamp':
      return 'a time such as "2030-01-31T12:00:00Z"';
    case 'google.protobuf.Duration':
      return 'a duration in seconds such as "90s"';
    case 'google.protobuf.FieldMask':
      return 'member names in one string such as "displayName,disabled"';
    default:
      return 'a JSON object';
  }
}

function scalarForm(scalar: ScalarType): string {
  switch (scalar) {
    case ScalarType.STRING:
      return 'a string';
    case ScalarType.BOOL:
      return 'true or false';
    case ScalarType.BYTES:
      return 'a string of base64';
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return 'a number';
    default:
      return 'a whole number in range';
  }
}
