import { limited } from './limits.js';
import {
  type ChoiceType,
  type EnumType,
  type Field,
  type ListType,
  type MapType,
  ModelError,
  type PrimitiveType,
  type StructType,
  type Type,
  type TypeDescription,
  type TypeId,
} from './model.js';

export const STRING = primitive('String');
export const INTEGER = primitive('Integer');
export const FLOAT = primitive('Float');
export const BOOLEAN = primitive('Boolean');

function primitive(kind: PrimitiveType['kind']): PrimitiveType {
  return { kind, id: kind, name: kind };
}

/**
 * The types of a config. Types with the same name and parameters are the same, wherever they were declared: the
 * table has one `Type` for all of them, so that they can be compared by identity.
 */
export class TypeTable {
  readonly #byId = new Map<TypeId, Type>();
  readonly #byKey = new Map<string, Type>();
  readonly #depths = new Map<Type, number>();

  constructor() {
    for (const type of [STRING, INTEGER, FLOAT, BOOLEAN]) this.#byId.set(type.id, type);
  }

  get(id: TypeId): Type {
    const type = this.#byId.get(id);
    if (type === undefined) throw new ModelError('TypeError', `no type has the id ${id}`);
    return type;
  }

  list(item: Type): ListType {
    return this.#same(`List ${item.id}`, `${item.name}List`, (id, name) => ({
      kind: 'List',
      id,
      name,
      item,
    }));
  }

  map(key: Type, value: Type): MapType {
    const name = `${key.name}${value.name}Map`;
    return this.#same(`Map ${key.id} ${value.id}`, name, (id) => ({ kind: 'Map', id, name, key, value }));
  }

  /** `Enum('a', 'b')` has no name of its own: one is made from its values. */
  enum(given: string | null, values: readonly string[]): EnumType {
    const name = given ?? `Enum_${values.join('_')}`;
    return this.#same(`Enum ${JSON.stringify([name, values])}`, name, (id) => ({
      kind: 'Enum',
      id,
      name,
      values,
    }));
  }

  choice(given: string | null, choices: readonly Type[]): ChoiceType {
    const name = given ?? `Choice_${choices.map((choice) => choice.name).join('_')}`;
    const key = `Choice ${JSON.stringify([name, choices.map(({ id }) => id)])}`;
    return this.#same(key, name, (id) => ({ kind: 'Choice', id, name, choices }));
  }

  /** `defaultText` is the same for defaults that are equal. */
  struct(name: string, fields: readonly Field[], defaultText: (field: Field) => string | null): StructType {
    const signature = fields
      .map((field) => [field.name, field.type.id, field.required, defaultText(field)])
      .sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1));
    return this.#same(`Struct ${JSON.stringify([name, signature])}`, name, (id) => ({
      kind: 'Struct',
      id,
      name,
      fields: new Map(fields.map((field) => [field.name, field])),
    }));
  }

  /** The id of the first type with a name is the name; that of the next, different ones also has a number. */
  #same<T extends Type>(key: string, name: string, make: (id: TypeId, name: string) => T): T {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known as T;
    let id = name;
    for (let n = 2; this.#byId.has(id); n++) id = `${name}#${n}`;
    const type = make(id, name);
    const depth = 1 + Math.max(0, ...partsOf(type).map((part) => this.#depths.get(part) ?? 1));
    limited('nesting', depth);
    this.#depths.set(type, depth);
    this.#byKey.set(key, type);
    this.#byId.set(id, type);
    return type;
  }
}

/** The types of the values inside values of a type. */
function partsOf(type: Type): Type[] {
  switch (type.kind) {
    case 'List':
      return [type.item];
    case 'Map':
      return [type.key, type.value];
    case 'Choice':
      return [...type.choices];
    case 'Struct':
      return [...type.fields.values()].map((field) => field.type);
    default:
      return [];
  }
}

/** What Python gets; `nodeId` gives the id of a default. */
export function describeType(type: Type, nodeId: (field: Field) => number | null): TypeDescription {
  const { id, kind, name } = type;
  const description: TypeDescription = { type: id, kind, name };
  if (type.kind === 'List') description.item = type.item.id;
  if (type.kind === 'Map') Object.assign(description, { key: type.key.id, value: type.value.id });
  if (type.kind === 'Enum') description.values = [...type.values];
  if (type.kind === 'Choice') description.choices = type.choices.map((choice) => choice.id);
  if (type.kind === 'Struct') {
    description.fields = [...type.fields.values()].map((field) => [
      field.name,
      { type: field.type.id, required: field.required, default: nodeId(field) },
    ]);
  }
  return description;
}
