"""The door: TypeScript answers every question about types and values on the other side.

What goes through is text (JSON, described in model.ts), over a device file that the host answers. A config
has no object of the host and cannot make one.
"""

import json
import os
import sys
import types
from collections.abc import MappingView, Sequence

_DEVICE = '/dev/thermos'
_CHUNK = 1 << 16
_SAFE_INTEGER = 2 ** 53 - 1

_device = None


def open_door():
    """After each start: open files are not part of a memory snapshot."""
    global _device
    _device = os.open(_DEVICE, os.O_RDWR)


def call(operation, *args):
    os.write(_device, (operation + '\n' + json.dumps(args)).encode())
    answer = os.read(_device, _CHUNK)
    if len(answer) == _CHUNK:
        chunks = [answer]
        while len(chunks[-1]) == _CHUNK:
            chunks.append(os.read(_device, _CHUNK))
        answer = b''.join(chunks)
    answer = json.loads(answer)
    if 'error' in answer:
        error = answer['error']
        raise exceptions[error['type']](error['message'])
    return answer['value']


class frozendict(dict):
    """The result of `get()` of a struct or map: a dict that can be a key."""

    def __hash__(self):
        return hash(tuple(sorted(self.items())))

    def __repr__(self):
        return 'frozendict(%s)' % dict.__repr__(self)


class Empty(object):
    """An unset field. A class, not an object, as in the original."""


# Filled by types.py.
exceptions = {
    error.__name__: error
    for error in (
        ValueError, AttributeError, TypeError, KeyError, AssertionError, RecursionError, MemoryError,
    )
}
classes = {}

# Set by types.py: the wire forms of values that only it knows.
wire_of_object = None
object_of_wire = None


def to_wire(value):
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        value = int(value)
        return value if -_SAFE_INTEGER <= value <= _SAFE_INTEGER else {'int': str(value)}
    if isinstance(value, float):
        return {'float': float.__repr__(value)}
    if isinstance(value, (bytes, bytearray)):
        return value.decode('utf-8', 'surrogateescape')
    if isinstance(value, dict):
        return {'dict': [[to_wire(key), to_wire(item)] for key, item in value.items()]}
    if value is Empty:
        return {'empty': True}
    wire = wire_of_object(value)
    if wire is not None:
        return wire
    if isinstance(value, (Sequence, MappingView)):
        return [to_wire(item) for item in value]
    return {
        'other': repr(value),
        'class': str(type(value)),
        'generator': isinstance(value, types.GeneratorType),
    }


def to_wires(values):
    return [to_wire(value) for value in values]


def to_pairs(keywords):
    return [[name, to_wire(value)] for name, value in keywords.items()]


def from_wire(wire):
    if isinstance(wire, list):
        return tuple(from_wire(item) for item in wire)
    if not isinstance(wire, dict):
        return wire
    if 'int' in wire:
        return int(wire['int'])
    if 'float' in wire:
        return float(wire['float'])
    if 'dict' in wire:
        return frozendict((from_wire(key), from_wire(value)) for key, value in wire['dict'])
    if 'empty' in wire:
        return Empty
    return object_of_wire(wire)


# The config files that are or were being executed: name of the code -> path as people see it.
sources = {}


def at():
    """The innermost line of a config file that is being executed; it is shown in messages."""
    frame = sys._getframe(1)
    while frame is not None:
        path = sources.get(frame.f_code.co_filename)
        if path is not None:
            return [path, frame.f_lineno]
        frame = frame.f_back
    return None
