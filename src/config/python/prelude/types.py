"""Pystachio's classes, as far as configs see them. An object has an id that the door knows."""

import json
import sys
from inspect import isclass

from _thermos import door
from _thermos.door import Empty, at, call, classes, from_wire, to_pairs, to_wire, to_wires


class Namable(object):
    class Error(Exception):
        pass

    class Unnamable(Error):
        pass

    class NamingError(Error):
        pass

    class NotFound(Error):
        pass


class Ref(object):
    """An address: `a.b[c]`."""

    class InvalidRefError(Exception):
        pass

    class Component(object):
        def __init__(self, value):
            self.value = value

        def __eq__(self, other):
            return self.__class__ == other.__class__ and self.value == other.value

        def __hash__(self):
            return hash(self.value)

        def __lt__(self, other):
            return self.value < other.value

    class Index(Component):
        def __repr__(self):
            return '[%s]' % self.value

    class Dereference(Component):
        def __repr__(self):
            return '.%s' % self.value

    def __init__(self, components):
        self._components = tuple(components)

    @staticmethod
    def wrap(value):
        return value if isinstance(value, Ref) else Ref.from_address(value)

    @staticmethod
    def from_address(address):
        if not address or not isinstance(address, str):
            raise Ref.InvalidRefError('Invalid address: %r' % (address,))
        kinds = {'index': Ref.Index, 'dereference': Ref.Dereference}
        return Ref(kinds[part['kind']](part['value']) for part in call('ref', address))

    def components(self):
        return self._components

    def action(self):
        return self._components[0]

    def is_index(self):
        return isinstance(self.action(), Ref.Index)

    def is_dereference(self):
        return isinstance(self.action(), Ref.Dereference)

    def is_empty(self):
        return not self._components

    def rest(self):
        return Ref(self._components[1:])

    def address(self):
        joined = ''.join(str(component) for component in self._components)
        return joined[1:] if joined.startswith('.') else joined

    def __add__(self, other):
        return Ref(self._components + other._components)

    def __str__(self):
        return '{{%s}}' % self.address()

    def __repr__(self):
        return 'Ref(%s)' % self.address()

    def __eq__(self, other):
        return isinstance(other, Ref) and self._components == other._components

    def __hash__(self):
        return hash(self._components)

    def __lt__(self, other):
        mine, others = self._components, other._components
        return len(mine) < len(others) or (len(mine) == len(others) and mine < others)


class MustacheParser(object):
    MAX_ITERATIONS = 100

    class Error(Exception):
        pass

    class Uninterpolatable(Error):
        pass

    @classmethod
    def split(cls, string, keep_aliases=False):
        return list(from_wire(call('mustache.split', string, bool(keep_aliases))))

    @classmethod
    def resolve(cls, stream, *namables):
        text, unbound = classes['String'](stream).in_scope(*namables).interpolate()
        return text.get(), unbound


class TypeCheck(object):
    class Error(Exception):
        pass

    @staticmethod
    def success():
        return TypeCheck(True, '')

    @staticmethod
    def failure(message):
        return TypeCheck(False, message)

    def __init__(self, success, message):
        self._success = success
        self._message = message

    def ok(self):
        return self._success

    def message(self):
        return self._message

    def __repr__(self):
        return 'TypeCheck(OK)' if self._success else 'TypeCheck(FAILED): %s' % self._message


class Environment(Namable):
    """A table from addresses to texts and objects."""

    _type = 'Environment'

    def __init__(self, *dicts, **keywords):
        self._node = call('environment', to_wires(dicts), to_pairs(keywords))['node']

    @staticmethod
    def wrap(value):
        if isinstance(value, dict):
            return Environment(value)
        if isinstance(value, (Environment, Object)):
            return value
        if isinstance(value, (int, float, str)):
            return str(value)
        raise ValueError(
            'Environment values must be strings, numbers, Objects or other Environments. Got %s instead.'
            % type(value)
        )

    def find(self, ref):
        return from_wire(call('find', self._node, Ref.wrap(ref).address()))


class TypeMeta(type):
    def __instancecheck__(cls, other):
        type_id = cls.__dict__.get('_type')
        if type_id is None:
            return type.__instancecheck__(cls, other)
        return getattr(type(other), '_type', None) == type_id


class Type(object):
    @classmethod
    def type_factory(cls):
        description = describe(cls)
        return description['name'] if description['kind'] in SIMPLE else description['kind']


SIMPLE = ('String', 'Integer', 'Float', 'Boolean')


class Object(object, metaclass=TypeMeta):
    """A value of a config: it never changes, every method returns another one."""

    __slots__ = ('_node',)

    class CoercionError(ValueError):
        pass

    class InterpolationError(Exception):
        pass

    def _build(self, args, keywords=()):
        self._node = call('new', self._type, to_wires(args), to_pairs(dict(keywords)), at())['node']

    def get(self):
        return from_wire(call('get', self._node))

    def copy(self):
        return wrap(type(self), self._node)

    dup = copy

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self

    def bind(self, *args, **keywords):
        return object_of_wire(call('bind', self._node, to_wires(args), to_pairs(keywords)))

    def in_scope(self, *args, **keywords):
        return object_of_wire(call('in_scope', self._node, to_wires(args), to_pairs(keywords)))

    def __mod__(self, namable):
        return object_of_wire(call('mod', self._node, to_wire(namable)))

    def interpolate(self):
        answer = call('interpolate', self._node)
        return object_of_wire(answer), [Ref.from_address(ref) for ref in answer['refs']]

    def check(self):
        answer = call('check', self._node)
        return TypeCheck(answer['ok'], answer['message'])

    def __eq__(self, other):
        return isinstance(other, Object) and call('equal', self._node, to_wire(other))

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(call('hash', self._node))

    def __str__(self):
        return call('text', self._node)

    def __repr__(self):
        return call('repr', self._node)


class SimpleObject(Object, Type):
    __slots__ = ()

    def __init__(self, value):
        self._build((value,))

    def __lt__(self, other):
        return call('less', self._node, to_wire(other))

    def __gt__(self, other):
        return not (self < other or self == other)

    def __le__(self, other):
        return self < other or self == other

    def __ge__(self, other):
        return not self < other


class EnumContainer(SimpleObject):
    __slots__ = ()


class ListContainer(Object, Namable, Type):
    __slots__ = ()

    def __init__(self, vals):
        self._build((vals,))

    def _items(self):
        return from_wire(call('items', self._node))

    def __iter__(self):
        return iter(self._items())

    def __getitem__(self, index_or_slice):
        return self._items()[index_or_slice]

    def __contains__(self, item):
        return call('contains', self._node, to_wire(item))

    def find(self, ref):
        return from_wire(call('find', self._node, Ref.wrap(ref).address()))


class MapContainer(Object, Namable, Type):
    __slots__ = ()

    def __init__(self, *args):
        self._build(args)

    def __iter__(self):
        return iter(from_wire(call('items', self._node)))

    def __getitem__(self, key):
        return from_wire(call('item', self._node, to_wire(key)))

    def __contains__(self, item):
        return call('contains', self._node, to_wire(item))

    def find(self, ref):
        return from_wire(call('find', self._node, Ref.wrap(ref).address()))


class ChoiceContainer(Object, Type):
    __slots__ = ()

    def __init__(self, val):
        self._build((val,))

    def unwrap(self):
        return from_wire(call('unwrap', self._node))


class TypeSignature(object):
    """The result of `Default(…)` and `Required(…)`: the type of a field and more."""

    def __init__(self, cls, required=False, default=Empty):
        assert isclass(cls)
        assert issubclass(cls, Object)
        self.klazz = cls
        self.required = required
        given = default is not Empty
        self.default = from_wire(call('default', cls._type, to_wire(default))) if given else Empty

    @property
    def empty(self):
        return self.default is Empty

    @staticmethod
    def wrap(value):
        if isclass(value) and issubclass(value, Object) and hasattr(value, '_type'):
            return TypeSignature(value)
        return value if isinstance(value, TypeSignature) else None

    def field(self):
        default = None if self.empty else self.default._node
        return {'type': self.klazz._type, 'required': self.required, 'default': default}


def Required(cls):
    return TypeSignature(cls, required=True)


def Default(cls, default):
    return TypeSignature(cls, default=default)


class StructMeta(TypeMeta):
    def __new__(mcs, name, bases, attributes):
        if name == 'Struct' and bases == (sys.modules[__name__].Structural,):
            return type.__new__(mcs, name, bases, attributes)
        if any(base.__name__ == 'Struct' for base in bases):
            fields = []
            for attribute, value in attributes.items():
                signature = TypeSignature.wrap(value)
                if signature is not None:
                    fields.append([attribute, signature.field()])
            # Everything else in the body is dropped; the names by which it may refer to itself are filled in.
            cell = {k: v for k, v in attributes.items() if k == '__classcell__'}
            return class_of(call('type.struct', name, fields), cell)
        fields = next((describe(base)['fields'] for base in bases if hasattr(base, '_type')), [])
        description = call('type.struct', name, fields)
        cls = type.__new__(mcs, name, bases, {**attributes, '_type': description['type']})
        classes[description['type']] = cls
        return cls

    @property
    def TYPEMAP(cls):
        typemap = {}
        for name, field in describe(cls)['fields']:
            signature = TypeSignature(class_by_id(field['type']), field['required'])
            if field['default'] is not None:
                signature.default = wrap(signature.klazz, field['default'])
            typemap[name] = signature
        return typemap


class Structural(Object, Type, Namable, metaclass=TypeMeta):
    __slots__ = ()

    def __init__(self, *args, **keywords):
        self._build(args, keywords)

    def __call__(self, **keywords):
        return object_of_wire(call('call', self._node, to_pairs(keywords), at()))

    def __getattr__(self, name):
        fields = type(self)._fields
        if name.startswith('has_') and name[4:] in fields:
            return lambda: call('has', self._node, name[4:])
        if name not in fields:
            raise AttributeError('%s has no attribute %s' % (type(self).__name__, name))
        return lambda: from_wire(call('attribute', self._node, name))

    def find(self, ref):
        return from_wire(call('find', self._node, Ref.wrap(ref).address()))

    @property
    def TYPEMAP(self):
        return type(self).TYPEMAP

    @classmethod
    def _filter_against_schema(cls, values):
        typemap = cls.TYPEMAP
        result = {}
        for key, value in values.items():
            if key in typemap:
                klazz = typemap[key].klazz
                result[key] = klazz._filter_against_schema(value) if issubclass(klazz, Structural) else value
        return result

    @classmethod
    def json_loads(cls, text, strict=False):
        values = json.loads(text)
        return cls(values if strict else cls._filter_against_schema(values))

    @classmethod
    def json_load(cls, file, strict=False):
        return cls.json_loads(file.read(), strict)

    def json_dumps(self):
        return json.dumps(self.interpolate()[0].get())

    def json_dump(self, file):
        file.write(self.json_dumps())


class Struct(Structural, metaclass=StructMeta):
    """The base of the structs that a config defines: `class Profile(Struct): port = Default(Integer, 80)`."""


_BASES = {
    'String': SimpleObject,
    'Integer': SimpleObject,
    'Float': SimpleObject,
    'Boolean': SimpleObject,
    'Enum': EnumContainer,
    'List': ListContainer,
    'Map': MapContainer,
    'Choice': ChoiceContainer,
    'Struct': Structural,
}


def class_of(description, attributes=None):
    """The class of a described type; a new one if attributes are given."""
    type_id = description['type']
    if type_id in classes and not attributes:
        return classes[type_id]
    kind = description['kind']
    metaclass = StructMeta if kind == 'Struct' else TypeMeta
    body = {'_type': type_id, '__slots__': (), '__module__': 'pystachio', **(attributes or {})}
    cls = type.__new__(metaclass, description['name'], (_BASES[kind],), body)
    classes[type_id] = cls
    if kind == 'Struct':
        cls._fields = frozenset(name for name, _ in description['fields'])
    elif kind == 'List':
        cls.TYPE = class_by_id(description['item'])
    elif kind == 'Map':
        cls.KEYTYPE = class_by_id(description['key'])
        cls.VALUETYPE = class_by_id(description['value'])
    elif kind == 'Enum':
        cls.VALUES = tuple(description['values'])
    elif kind == 'Choice':
        cls.CHOICES = [class_by_id(choice) for choice in description['choices']]
    return cls


def class_by_id(type_id):
    return classes[type_id] if type_id in classes else class_of(call('type', type_id))


def describe(cls):
    return call('type', cls._type)


def wrap(cls, node):
    value = object.__new__(cls)
    value._node = node
    return value


def object_of_wire(wire):
    if 'ref' in wire:
        return Ref.from_address(wire['ref'])
    if 'other' in wire:
        return wire['other']
    if 'node' not in wire:
        return class_by_id(wire['type'])
    if wire['type'] == 'Environment':
        return wrap(Environment, wire['node'])
    return wrap(class_by_id(wire['type']), wire['node'])


def wire_of_object(value):
    if isinstance(value, (Object, Environment)):
        return {'node': value._node}
    if isinstance(value, Ref):
        return {'ref': value.address()}
    if isclass(value) and issubclass(value, Object) and hasattr(value, '_type'):
        return {'type': value._type}
    return None


door.wire_of_object = wire_of_object
door.object_of_wire = object_of_wire
door.exceptions.update(
    CoercionError=Object.CoercionError,
    InvalidRefError=Ref.InvalidRefError,
    Uninterpolatable=MustacheParser.Uninterpolatable,
    NotFound=Namable.NotFound,
    NamingError=Namable.NamingError,
    Unnamable=Namable.Unnamable,
)


def _type_id(cls):
    if not isclass(cls) or not hasattr(cls, '_type'):
        raise AttributeError("%r has no attribute 'serialize_type'" % (cls,))
    return cls._type


def List(item):
    return class_of(call('type.list', _type_id(item)))


def Map(key, value):
    return class_of(call('type.map', _type_id(key), _type_id(value)))


def Enum(*stuff):
    if len(stuff) == 2 and isinstance(stuff[0], str) and isinstance(stuff[1], (list, tuple)):
        return class_of(call('type.enum', stuff[0], to_wires(stuff[1])))
    return class_of(call('type.enum', None, to_wires(stuff)))


def Choice(*args):
    name, choices = args if len(args) == 2 else (None, args[0])
    return class_of(call('type.choice', name, [_type_id(choice) for choice in choices]))


class TypeFactory(object):
    """It exists for `from pystachio import *`."""
