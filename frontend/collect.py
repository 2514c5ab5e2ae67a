"""Walk a parsed unit once, and collect kernels, device functions, variables and launches.

Declarations of the project are visited in source order; the bodies of its functions are searched
for launches and for references to instantiated templates, whose bodies are searched in turn. The
shim's own declarations never show: they came with the precompiled prelude.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossport.frontend import cache, clang, shim
from crossport.frontend.bodies import Bodies
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.instances import Probe, probed_instance
from crossport.frontend.kernels import (
    FUNCTIONS,
    is_device_function,
    is_kernel,
    make_kernel,
    make_pattern,
    make_variable,
)
from crossport.frontend.launches import LAUNCHING, SourceText, launch_at
from crossport.frontend.unit import Kernel, Launch, Origin, Pattern, Variable
from crossport.frontend.values import Values

# Kinds by number: a cursor's `kind` looks its number up each time.
_CALL = CursorKind.CALL_EXPR.value
_VARIABLE = CursorKind.VAR_DECL.value
_TEMPLATE = CursorKind.FUNCTION_TEMPLATE.value
_FUNCTION_KINDS = frozenset(kind.value for kind in FUNCTIONS)
_SCOPES = frozenset(
    kind.value
    for kind in (
        CursorKind.NAMESPACE,
        CursorKind.LINKAGE_SPEC,
        CursorKind.UNEXPOSED_DECL,
        CursorKind.STRUCT_DECL,
        CursorKind.CLASS_DECL,
        CursorKind.UNION_DECL,
        CursorKind.CLASS_TEMPLATE,
        CursorKind.CLASS_TEMPLATE_PARTIAL_SPECIALIZATION,
    )
)


@dataclass
class Found:
    """What a unit holds."""

    kernels: tuple[Kernel, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    functions: tuple[Cursor, ...] = ()
    variables: tuple[Variable, ...] = ()
    launches: tuple[Launch, ...] = ()
    broken: list[Cursor] = field(default_factory=list)


def collect(handle: Any, path: Path, data: bytes, probes: Sequence[Probe] = ()) -> Found:
    """Everything of interest in a parsed unit, in source order; `data` is the text of `path`."""
    walk = _Walk(handle, path, data, probes)
    walk.declarations(handle.cursor)
    walk.search()
    return walk.found()


class _Walk:
    def __init__(self, handle: Any, path: Path, data: bytes, probes: Sequence[Probe]) -> None:
        self._text = _read_sources(handle, path, data)
        self._bodies = Bodies(self._text.files)
        self._probes = {probe.variable: probe for probe in probes}
        self._foreign = (str(cache.include_folder()), str(shim.ROOT))
        self._kernels: dict[str, Kernel] = {}
        self._templates: list[Cursor] = []
        self._functions: dict[str, Cursor] = {}
        self._variables: dict[tuple[str, int, str, str], Variable] = {}
        self._launches: dict[tuple[str, int, str], Launch] = {}
        self._queue: list[Cursor] = []
        self._patterns_of_hosts: list[Cursor] = []
        self._seen: set[int] = set()
        self._passed_by: set[int] = set()
        self._broken: list[Cursor] = []

    def declarations(self, scope: Cursor) -> None:
        """Note the declarations of a scope; the functions' bodies come later."""
        scopes = [scope]
        while scopes:
            inner: list[Cursor] = []
            for cursor in clang.children(scopes.pop()):
                kind = cursor._kind_id
                if kind in _FUNCTION_KINDS:
                    self._function(cursor)
                elif kind == _TEMPLATE:
                    self._template(cursor)
                elif kind == _VARIABLE:
                    self._variable(cursor)
                elif kind in _SCOPES and self._is_ours(cursor):
                    inner.append(cursor)
            scopes.extend(reversed(inner))

    def _is_ours(self, cursor: Cursor) -> bool:
        file = clang.file_of(cursor.location, cursor._tu)
        return file != "" and not file.startswith(self._foreign)

    def _function(self, cursor: Cursor) -> None:
        if not cursor.is_definition() or not self._is_ours(cursor):
            return
        if is_kernel(cursor):
            self._add_kernel(cursor, "explicit" if clang.template_arguments(cursor) else "plain")
        elif is_device_function(cursor):
            self._functions.setdefault(clang.identity(cursor), cursor)
        self._queue.append(cursor)

    def _template(self, cursor: Cursor) -> None:
        if not cursor.is_definition() or not self._is_ours(cursor):
            return
        if is_kernel(cursor):
            self._templates.append(cursor)
        else:
            self._patterns_of_hosts.append(cursor)

    def _variable(self, cursor: Cursor) -> None:
        if not self._is_ours(cursor):
            return
        probe = self._probes.get(cursor.spelling)
        if probe is not None:
            instance = probed_instance(cursor)
            if instance is not None and is_kernel(instance):
                self._add_kernel(instance, probe.origin)
                self._queue.append(instance)
            return
        self._add_variable(cursor)
        self._queue.append(cursor)  # an initialiser may refer to an instance

    def _add_variable(self, cursor: Cursor) -> None:
        variable = make_variable(cursor)
        if variable is not None:
            key = (variable.span.file, variable.span.offset, variable.name, variable.type)
            self._variables.setdefault(key, variable)

    def _add_kernel(self, cursor: Cursor, origin: Origin) -> None:
        identity = clang.identity(cursor)
        if identity in self._kernels:
            return
        kernel = make_kernel(cursor, origin)
        if kernel is None:
            self._broken.append(cursor)
        else:
            self._kernels[identity] = kernel

    def search(self) -> None:
        """Search bodies until no new instance turns up."""
        # Instances first, so that a pattern is only searched when nothing instantiates it.
        self._drain()
        for pattern in self._patterns_of_hosts:
            self._body(pattern, only_new_launches=True)
        self._drain()

    def _drain(self) -> None:
        while self._queue:
            function = self._queue.pop(0)
            if function.hash not in self._seen:
                self._seen.add(function.hash)
                self._body(function)

    def _body(self, function: Cursor, *, only_new_launches: bool = False) -> None:
        wanted = self._bodies.wanted_in(function)
        if not wanted:
            return
        found = clang.find(function, wanted)
        calls = [cursor for cursor in found if cursor._kind_id == _CALL]
        if any(call.spelling in LAUNCHING for call in calls):
            values = Values(function)
            for call in calls:
                launch = launch_at(call, function, values, self._text)
                if launch is not None:
                    self._add_launch(launch, only_new_launches)
        for cursor in found:
            if cursor._kind_id == _VARIABLE:
                self._add_variable(cursor)
            elif self._bodies.has_templates:
                self._reference(cursor)

    def _add_launch(self, launch: Launch, only_new: bool) -> None:
        place = (launch.span.file, launch.span.offset)
        if only_new and any(key[:2] == place for key in self._launches):
            return
        self._launches.setdefault((*place, launch.identity), launch)

    def _reference(self, cursor: Cursor) -> None:
        target = clang.referenced_function(cursor)
        if target is None:
            return
        key = target.hash
        if key in self._seen or key in self._passed_by:
            return
        if not _is_instance(target) or not self._is_ours(target):
            self._passed_by.add(key)
            return
        if is_kernel(target):
            self._add_kernel(target, "referenced")
        elif is_device_function(target):
            self._functions.setdefault(clang.identity(target), target)
        self._queue.append(target)

    def found(self) -> Found:
        """The collection as values."""
        launched = {launch.identity for launch in self._launches.values()}
        kernels = [
            make_kernel(k.cursor, "launched") or k
            if identity in launched and k.origin == "referenced"
            else k
            for identity, k in self._kernels.items()
        ]
        instances: dict[tuple[str, int], int] = {}
        for kernel in kernels:
            key = _key(kernel.cursor)
            instances[key] = instances.get(key, 0) + 1
        patterns = [make_pattern(t, instances.get(_key(t), 0)) for t in self._templates]
        return Found(
            tuple(sorted(kernels, key=lambda k: (k.span.file, k.span.offset))),
            tuple(patterns),
            tuple(self._functions.values()),
            tuple(self._variables.values()),
            tuple(sorted(self._launches.values(), key=lambda x: (x.span.file, x.span.offset))),
            self._broken,
        )


def _key(function: Cursor) -> tuple[str, int]:
    """Where the name stands: the same for a template and its instances."""
    location = function.location
    return location.file.name, location.offset


def _is_instance(function: Cursor) -> bool:
    """Does a function come from a template (its own, or its class's)?"""
    if function.get_num_template_arguments() > 0:
        return True
    parent = function.semantic_parent
    return (
        parent is not None
        and parent.kind in (CursorKind.STRUCT_DECL, CursorKind.CLASS_DECL)
        and parent.get_num_template_arguments() > 0
    )


def _read_sources(handle: Any, path: Path, data: bytes) -> SourceText:
    names: Iterable[str] = (i.include.name for i in handle.get_includes())
    foreign = (str(cache.include_folder()), str(shim.ROOT))
    files = {str(path): data}
    for name in names:
        if name not in files and not name.startswith(foreign):
            try:
                files[name] = Path(name).read_bytes()
            except OSError:
                files[name] = b""
    return SourceText(files)
