"""The names that a config finds, as modules: configs import them under their old names, too."""

import sys
import types as python_types

from _thermos import types
from _thermos.door import at, call, from_wire, frozendict, to_pairs, to_wire, to_wires


class Units(object):
    """Helpers for resources and waits."""

    @staticmethod
    def safe_get(unit):
        return from_wire(call('units', 'safe_get', [to_wire(unit)]))

    @staticmethod
    def optional_resources(resources):
        return from_wire(call('units', 'optional_resources', [to_wire(resources)]))

    @staticmethod
    def resources_sum(*resources):
        return from_wire(call('units', 'resources_sum', to_wires(resources)))

    @staticmethod
    def resources_max(resources):
        return from_wire(call('units', 'resources_max', [to_wires(resources)]))

    @staticmethod
    def processes_merge(tasks):
        return list(from_wire(call('units', 'processes_merge', [to_wires(tasks)])))

    @staticmethod
    def constraints_merge(tasks):
        return list(from_wire(call('units', 'constraints_merge', [to_wires(tasks)])))

    @staticmethod
    def finalization_wait_sum(waits):
        return from_wire(call('units', 'finalization_wait_sum', [to_wires(waits)]))

    @staticmethod
    def finalization_wait_max(waits):
        return from_wire(call('units', 'finalization_wait_max', [to_wires(waits)]))


def order(*processes):
    return list(from_wire(call('order', to_wires(processes))))


def combine_tasks(*tasks, **keywords):
    return _task('combine_tasks', tasks, keywords)


def concat_tasks(*tasks, **keywords):
    return _task('concat_tasks', tasks, keywords)


def SequentialTask(*args, **keywords):
    return _task('sequential_task', args, keywords)


def SimpleTask(name, command):
    return from_wire(call('simple_task', to_wire(name), to_wire(command), at()))


def java_options(*options, **keywords):
    return call('options', 'java', to_wires(options), to_pairs(keywords))


def python_options(*options, **keywords):
    return call('options', 'python', to_wires(options), to_pairs(keywords))


def _task(operation, args, keywords):
    return from_wire(call(operation, to_wires(args), to_pairs(keywords), at()))


class Processes(object):
    order = staticmethod(order)


class Tasks(object):
    SIMPLE_CPU = 1.0
    SIMPLE_RAM = SIMPLE_DISK = 1 << 30
    simple = staticmethod(SimpleTask)
    combine = staticmethod(combine_tasks)
    concat = staticmethod(concat_tasks)

    @staticmethod
    def sequential(task):
        if task.has_constraints() and list(task.constraints()):
            raise ValueError('Cannot turn a Task with existing constraints into a SequentialTask!')
        return task(constraints=order(*task.processes())) if task.has_processes() else task


class Options(object):
    java = staticmethod(java_options)
    python = staticmethod(python_options)


_PYSTACHIO_MODULES = (
    'base basic choice compatibility composite config container naming parsing typing'.split()
)

_pystachio = {
    name: getattr(types, name)
    for name in (
        'Choice Default Empty Enum Environment List Map MustacheParser Namable Ref Required Struct Type '
        'TypeCheck TypeFactory'
    ).split()
}
_helpers = {
    value.__name__: value
    for value in (
        order, combine_tasks, concat_tasks, java_options, python_options, SequentialTask, SimpleTask,
        Options, Processes, Tasks, Units,
    )
}


def _schema(dialect):
    """The names in the schema of a dialect: types, units, prepared objects."""
    answer = call('namespace', dialect)
    names = {}
    for name, type_id in answer['types'].items():
        names[name] = types.class_by_id(type_id)
    for name, wire in answer['values'].items():
        names[name] = from_wire(wire)
    return names


def _module(name, names):
    module = python_types.ModuleType(name)
    module.__dict__.update(names)
    sys.modules[name] = module
    parent, _, child = name.rpartition('.')
    if parent:
        if parent not in sys.modules:
            _module(parent, {}).__path__ = []
        setattr(sys.modules[parent], child, module)
    return module


def install():
    """Makes the modules, once: they are kept in the memory snapshot."""
    thermos = _schema('thermos')
    aurora = _schema('aurora')
    basic = {name: types.class_by_id(name) for name in types.SIMPLE}
    pystachio = _module('pystachio', {**_pystachio, **basic, 'sys': sys})
    pystachio.__path__ = []
    hidden = {'Object': types.Object, 'Structural': types.Structural, 'frozendict': frozendict}
    everything = {**pystachio.__dict__, **hidden}
    for name in _PYSTACHIO_MODULES:
        _module('pystachio.' + name, {k: v for k, v in everything.items() if not k.startswith('__')})
    shared = {**_pystachio, **basic, **_helpers}
    for name in ('schema', 'schema_base', 'schema_helpers'):
        _module('apache.thermos.config.' + name, {**shared, **thermos})
    for name in ('schema', 'schema.base'):
        _module('apache.aurora.config.' + name, {**shared, **aurora})
    sys.modules['apache.aurora.config.schema'].__path__ = []


def namespace(dialect):
    """The initial globals of a config."""
    names = _public('pystachio')
    names.update(_public('apache.%s.config.schema' % dialect))
    return names


def _public(module):
    return {name: value for name, value in sys.modules[module].__dict__.items() if not name.startswith('_')}
