"""`min` and `max` without `std::`: CUDA has them for every arithmetic type, HIP does not.

    float worst = max(worst, fabsf(a - b));     in host code HIP has max(int, int) only: that
                                                compiles, and cuts the floats to integers
    int n = min(count - 1, threadIdx.x);        on the device HIP compares int and unsigned as
                                                double, and CUDA as unsigned

The functions that CUDA has and HIP lacks are put into the file (helpers.py); calls stay as they
are. Types decide, by the frontend's tree: calls of two ints are the same everywhere, and with a
using directive calls of one type find `std::max`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from crossport.backends.hip.functions import body_around
from crossport.backends.hip.semantics.context import File
from crossport.frontend import clang
from crossport.frontend.clang import Cursor, CursorKind
from crossport.frontend.places import place_of
from crossport.frontend.unit import TranslationUnit

_NAMES = frozenset((b"min", b"max"))
_INTEGERS = frozenset(
    f"{sign}{kind}" for kind in ("int", "long", "long long") for sign in ("", "unsigned ")
)


@dataclass
class _Calls:
    """The calls of one file: where they stand, and the types that the tree knows of each.

    `std_from`: where `using namespace std` begins to count.
    """

    std_from: float
    host: set[int] = field(default_factory=set)
    device: set[int] = field(default_factory=set)
    types: dict[int, set[tuple[str, ...]]] = field(default_factory=dict)


def min_max_edits(unit: TranslationUnit, files: Mapping[str, File]) -> None:
    """Put the functions into each file whose calls need them."""
    calls = {name: found for name, file in files.items() if (found := _calls(file)) is not None}
    if not calls:
        return
    _learn_types(unit, calls)
    for name, found in calls.items():
        first = {
            "host_min_max": min((at for at in found.host if _is_lost(found, at)), default=None),
            "mixed_min_max": min((at for at in found.device if _is_mixed(found, at)), default=None),
        }
        for helper, at in first.items():
            if at is not None:
                files[name].use(helper, at)


def _calls(file: File) -> _Calls | None:
    # A program that has its own ones, or a macro of this name, does not call CUDA's; what is HIP
    # already means HIP's.
    if file.text.file.endswith(".hip") or file.text.words.isdisjoint(_NAMES - file.own_names):
        return None
    found = _Calls(_std_from(file))
    for call in file.calls(_NAMES):
        if len(call.arguments) != 2:
            continue
        offset = file.text.tokens.start[call.name]
        body = body_around(file.text, call.name)
        head = body.head if body is not None else frozenset()
        if head.isdisjoint((b"__device__", b"__global__")) or b"__host__" in head:
            found.host.add(offset)
        if not head.isdisjoint((b"__device__", b"__global__")):
            found.device.add(offset)
    return found if found.host or found.device else None


def _std_from(file: File) -> float:
    tokens = file.text.tokens
    for index in file.text.code_names:
        is_directive = tokens.text[index] == b"std" and tokens.at(index - 1) == b"namespace"
        if is_directive and tokens.at(index - 2) == b"using":
            return tokens.start[index]
    return math.inf


def _is_lost(found: _Calls, offset: int) -> bool:
    """Whether HIP's `max(int, int)` of the host would be taken for something else."""
    known = found.types.get(offset)
    if known is None:
        return True
    has_std = offset > found.std_from
    return any(
        types != ("int", "int") and not (has_std and len(set(types)) == 1) for types in known
    )


def _is_mixed(found: _Calls, offset: int) -> bool:
    return any(
        len(set(types)) == 2 and set(types) <= _INTEGERS for types in found.types.get(offset, ())
    )


def _learn_types(unit: TranslationUnit, calls: dict[str, _Calls]) -> None:
    """The parameter types of the function that each call has found, in every instance."""
    functions = [*(kernel.cursor for kernel in unit.kernels), *unit.functions]
    scopes = [unit.cursor]
    while scopes:
        for cursor in clang.children(scopes.pop()):
            if cursor.kind in (CursorKind.NAMESPACE, CursorKind.LINKAGE_SPEC):
                scopes.append(cursor)
            elif cursor.kind.is_declaration():
                functions.append(cursor)
    for function in functions:
        place = place_of(function)
        found = calls.get(place.file)
        if found is None or not any(
            place.offset <= at < place.end_offset for at in found.host | found.device
        ):
            continue
        for cursor in clang.find(function, clang.CALLS):
            if cursor.spelling in ("min", "max"):
                _learn(cursor, calls)


def _learn(call: Cursor, calls: dict[str, _Calls]) -> None:
    location = call.location
    found = calls.get(location.file.name) if location.file is not None else None
    function = call.referenced
    if found is None or function is None:
        return
    types = tuple(p.type.get_canonical().spelling for p in function.get_arguments())
    if len(types) == 2:
        found.types.setdefault(location.offset, set()).add(types)
