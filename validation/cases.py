"""Load cases.toml: which launches of which kernels are judged, on which data.

    [[kernel]]                                    Kernel "saxpy"
    name = "saxpy"                                  Case "n1000": grid (4,1,1), block (256,1,1)
    grid = ["ceil_div(n, 256)"]            ->         n   int32     = 1000
    block = [256]                                     x   float32[1000] in, uniform [-1, 1)
    args = [ {name = "x", ...}, ... ]                 y   float32[1000] out, poisoned
    cases = [ {n = 1000} ]

docs/cases.md is the reference of the format. Everything is evaluated here: a `Case` holds numbers
only, and two loads of one file give equal cases and bit-identical arrays on any machine.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.dtypes import DTYPES, Array, DType
from crossport.validation.expressions import ExpressionError, Number, evaluate, evaluate_int
from crossport.validation.generators import RECORD, RULES, Generator, generate, poison

SCHEMA = 1
MOST_BYTES = 4 << 30
_ROLES = ("in", "out", "inout")
_CASE_KEYS = {"name", "instance", "grid", "block", "shared", "set", "seed", "bench"}
_SETTINGS = {"range", "value", "values", "mean", "std", "scale", "start", "step", "total"}
_COMPARE = ("auto", "bits", "multiset", "ignore")

Role = Literal["in", "out", "inout"]
Compare = Literal["auto", "bits", "multiset", "ignore"]
Dim3 = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ArrayArg:
    """A device array. `symbol` arrays are `__constant__`/`__device__` variables, not parameters."""

    name: str
    dtype: DType
    shape: tuple[int, ...]
    role: Role
    generator: Generator
    compare: Compare = "auto"
    symbol: bool = False

    @property
    def count(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size of the array."""
        return self.count * self.dtype.bytes


@dataclass(frozen=True, slots=True)
class ScalarArg:
    """A number passed by value."""

    name: str
    dtype: DType
    value: Number


@dataclass(frozen=True, slots=True)
class StructArg:
    """A struct passed by value; a field is a number or names an array (a pointer member)."""

    name: str
    c_type: str
    fields: tuple[ScalarArg | tuple[str, str], ...]
    """Numbers, or (field name, array name)."""


@dataclass(frozen=True, slots=True)
class TextureArg:
    """A cudaTextureObject_t over an array of this case."""

    name: str
    array: str
    width: int
    height: int
    """0 for a texture over linear memory (tex1Dfetch)."""
    channels: int
    linear_filter: bool
    address: Literal["clamp", "border", "wrap", "mirror"]
    normalized: bool


Arg = ArrayArg | ScalarArg | StructArg | TextureArg


@dataclass(frozen=True, slots=True)
class Case:
    """One launch: everything a runner needs except the code."""

    kernel: str
    """As written at the launch: `reduce<float, 128>` for a template instance."""
    name: str
    params: Mapping[str, Number]
    grid: Dim3
    block: Dim3
    shared_bytes: int
    args: tuple[Arg, ...]
    """In CUDA parameter order; arrays only reached through structs, textures or symbols are in
    `buffers`."""
    buffers: tuple[ArrayArg, ...]
    seed: int = 0
    is_bench: bool = False
    is_cooperative: bool = False
    float_atomics: bool = False
    source: Path = Path()

    @property
    def function(self) -> str:
        """The kernel's plain name, template arguments dropped."""
        return self.kernel.split("<", 1)[0].rsplit("::", 1)[-1].strip()

    @property
    def id(self) -> str:
        """Unique within the file: `softmax_rows/rows3-cols31`."""
        return f"{self.kernel}/{self.name}"

    @property
    def arrays(self) -> tuple[ArrayArg, ...]:
        """Every array: parameters in order, then the buffers."""
        return tuple(a for a in self.args if isinstance(a, ArrayArg)) + self.buffers

    @property
    def written(self) -> tuple[ArrayArg, ...]:
        """The arrays whose contents after the launch are judged."""
        return tuple(a for a in self.arrays if a.role != "in" and a.compare != "ignore")

    def initial(self, salt: int = 0) -> dict[str, Array]:
        """Contents of every array before the launch, flat. `salt` changes the outputs' poison."""
        return {array.name: self.contents(array, salt) for array in self.arrays}

    def contents(self, array: ArrayArg, salt: int = 0) -> Array:
        """Contents of one array before the launch."""
        if array.role == "out":
            return poison(array.count, array.dtype, salt)
        return generate(array.generator, array.count, array.dtype, self.content_key(array))

    def content_key(self, array: ArrayArg) -> str:
        """What the contents of an array are drawn from."""
        return f"{self.function}/{array.name}/{self.name}/{self.seed}"

    def with_seed(self, seed: int) -> Case:
        """The same launch on other data."""
        return replace(self, seed=seed)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A loaded cases.toml."""

    path: Path
    source: Path
    features: tuple[str, ...]
    cases: tuple[Case, ...]
    flags: tuple[str, ...] = field(default=())
    """Extra nvcc flags the program's own build needs (`-rdc=true` for dynamic parallelism)."""

    @property
    def kernels(self) -> tuple[str, ...]:
        """Every kernel or instance that is launched, in file order."""
        return tuple(dict.fromkeys(case.kernel for case in self.cases))

    @property
    def checked(self) -> tuple[Case, ...]:
        """The cases that are compared (the others only time)."""
        return tuple(case for case in self.cases if not case.is_bench)


def load_cases(path: Path | str) -> CaseFile:
    """Read a cases.toml, or the one in a folder. Raises PortError for anything malformed."""
    path = Path(path)
    if path.is_dir():
        path = path / "cases.toml"
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CASES_MISSING, f"cannot read the cases: {path}: {error.strerror}")
        ) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PortError(Diagnostic(Code.CASES_INVALID, f"{path} is not TOML: {error}")) from None
    return _Loader(path).file(document)


def parse_cases(text: str, path: Path | str) -> CaseFile:
    """As `load_cases`, from text; `path` names it in messages and places the source."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PortError(Diagnostic(Code.CASES_INVALID, f"{path} is not TOML: {error}")) from None
    return _Loader(Path(path)).file(document)


def make_case(
    path: Path | str, table: Mapping[str, Any], row: Mapping[str, Any], source: Path
) -> Case:
    """One case of a [[kernel]] table, from a row of our own. Raises PortError as `load_cases`."""
    loader = _Loader(Path(path))
    return loader.case(loader.text(table.get("name"), "kernel name"), table, row, source)


@dataclass(slots=True)
class _Loader:
    """Walks the document; `where` says which table a complaint is about."""

    path: Path
    where: str = ""

    def fail(self, message: str) -> NoReturn:
        place = f"{self.where}: " if self.where else ""
        raise PortError(
            Diagnostic(
                Code.CASES_INVALID,
                f"{self.path}: {place}{message}",
                help="the format is described in docs/cases.md",
            )
        )

    def file(self, document: Mapping[str, Any]) -> CaseFile:
        if document.get("schema") != SCHEMA:
            self.fail(f"schema is {document.get('schema')!r}; this version reads {SCHEMA}")
        self.only(document, {"schema", "features", "source", "flags", "about", "kernel"})
        default = self.path.parent.name + ".cu"
        source = self.path.parent / self.text(document.get("source", default), "source")
        kernels = self.tables(document.get("kernel", []), "kernel")
        if not kernels:
            self.fail("there is no [[kernel]]")
        cases = [case for table in kernels for case in self.kernel(table, source)]
        names = [case.id for case in cases]
        self.where = ""
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.fail(f"two cases are called {name}")
        features = tuple(self.text(f, "feature") for f in document.get("features", []))
        flags = tuple(self.text(f, "flag") for f in document.get("flags", []))
        return CaseFile(self.path, source, features, tuple(cases), flags)

    def kernel(self, table: Mapping[str, Any], source: Path) -> list[Case]:
        name = self.text(table.get("name"), "kernel name")
        self.where = f"kernel {name}"
        self.only(
            table,
            {"name", "grid", "block", "shared", "args", "globals", "buffers", "cases",
             "cooperative", "float_atomics"},
        )  # fmt: skip
        rows = self.tables(table.get("cases", []), "cases")
        if not rows:
            self.fail("there are no cases")
        return [self.case(name, table, row, source) for row in rows]

    def case(
        self, kernel: str, table: Mapping[str, Any], row: Mapping[str, Any], source: Path
    ) -> Case:
        params: dict[str, Number] = {}
        for key, value in row.items():
            if key not in _CASE_KEYS:
                if isinstance(value, bool) or not isinstance(value, (int, float, str)):
                    self.fail(f"parameter {key} is {value!r}, not a number")
                params[key] = self.number(value, params)
        name = str(row.get("name") or "-".join(f"{k}{_short(v)}" for k, v in params.items()))
        self.where = f"kernel {kernel}, case {name}"
        block = self.dim3(row.get("block", table.get("block")), params, "block")
        grid = self.dim3(row.get("grid", table.get("grid")), params, "grid")
        sizes = params | dict(zip(("block_x", "block_y", "block_z"), block, strict=True))
        sizes |= dict(zip(("grid_x", "grid_y", "grid_z"), grid, strict=True))
        if math.prod(block) > 1024:
            self.fail(f"a block of {block} has more than 1024 threads")
        overrides = row.get("set", {})
        args = tuple(
            self.arg(a, sizes, overrides) for a in self.tables(table.get("args", []), "args")
        )
        symbols = [
            replace(self.array(a, sizes, overrides), symbol=True)
            for a in self.tables(table.get("globals", []), "globals")
        ]
        extra = [
            self.array(a, sizes, overrides)
            for a in self.tables(table.get("buffers", []), "buffers")
        ]
        case = Case(
            kernel=self.text(row.get("instance", kernel), "instance"),
            name=name,
            params=params,
            grid=grid,
            block=block,
            shared_bytes=self.whole(row.get("shared", table.get("shared", 0)), sizes),
            args=args,
            buffers=(*symbols, *extra),
            seed=self.whole(row.get("seed", 0), {}),
            is_bench=bool(row.get("bench", False)),
            is_cooperative=bool(table.get("cooperative", False)),
            float_atomics=bool(table.get("float_atomics", False)),
            source=source,
        )
        self.check(case, overrides)
        return case

    def check(self, case: Case, overrides: Mapping[str, Any]) -> None:
        names = [a.name for a in case.args] + [b.name for b in case.buffers]
        for name in sorted({n for n in names if names.count(n) > 1}):
            self.fail(f"two arguments are called {name}")
        arrays = {a.name for a in case.arrays}
        for name in overrides:
            if name not in arrays:
                self.fail(f"'set' names {name}, which is no array of this kernel")
        for arg in case.args:
            targets = [arg.array] if isinstance(arg, TextureArg) else []
            if isinstance(arg, StructArg):
                targets = [f[1] for f in arg.fields if isinstance(f, tuple)]
            for target in targets:
                if target not in arrays:
                    self.fail(f"{arg.name} points to {target}, which is no array of this kernel")
        if sum(a.bytes for a in case.arrays) > MOST_BYTES:
            self.fail(f"the arrays are larger than {MOST_BYTES >> 30} GiB together")

    def arg(
        self, row: Mapping[str, Any], sizes: Mapping[str, Number], over: Mapping[str, Any]
    ) -> Arg:
        if "shape" in row:
            return self.array(row, sizes, over)
        name = self.text(row.get("name"), "argument name")
        if "struct" in row:
            self.only(row, {"name", "struct", "fields"})
            fields = tuple(
                (self.text(f.get("name"), "field"), self.text(f["array"], "array"))
                if "array" in f
                else self.scalar(f, sizes)
                for f in self.tables(row.get("fields", []), "fields")
            )
            return StructArg(name, self.text(row["struct"], "struct"), fields)
        if "texture" in row:
            return self.texture(name, row, sizes)
        return self.scalar(row, sizes)

    def texture(self, name: str, row: Mapping[str, Any], sizes: Mapping[str, Number]) -> TextureArg:
        self.only(
            row,
            {"name", "texture", "width", "height", "channels", "filter", "address", "normalized"},
        )
        mode = row.get("filter", "point")
        if mode not in ("point", "linear"):
            self.fail(f"texture {name}: filter is {mode!r}, not 'point' or 'linear'")
        address = row.get("address", "clamp")
        if address not in ("clamp", "border", "wrap", "mirror"):
            self.fail(f"texture {name}: address mode {address!r} is not known")
        return TextureArg(
            name,
            self.text(row["texture"], "texture"),
            self.whole(row.get("width", 0), sizes),
            self.whole(row.get("height", 0), sizes),
            self.whole(row.get("channels", 1), sizes),
            mode == "linear",
            address,
            bool(row.get("normalized", False)),
        )

    def scalar(self, row: Mapping[str, Any], sizes: Mapping[str, Number]) -> ScalarArg:
        self.only(row, {"name", "dtype", "value"})
        name = self.text(row.get("name"), "argument name")
        if "value" not in row:
            self.fail(f"argument {name} has neither a shape (an array) nor a value (a number)")
        dtype = self.dtype(row, name)
        value = self.number(row["value"], sizes)
        if not dtype.is_float and int(value) != value:
            self.fail(f"{name} is {value}, which {dtype.name} cannot hold")
        return ScalarArg(name, dtype, value if dtype.is_float else int(value))

    def array(
        self, row: Mapping[str, Any], sizes: Mapping[str, Number], over: Mapping[str, Any]
    ) -> ArrayArg:
        name = self.text(row.get("name"), "array name")
        self.only(row, {"name", "dtype", "shape", "role", "gen", "compare", "fields"} | _SETTINGS)
        changed = over.get(name, {})
        if not isinstance(changed, Mapping):
            self.fail(f"'set' for {name} is {changed!r}, not a table")
        self.only(changed, {"gen"} | _SETTINGS)
        # A new rule comes with its own settings; those of the old one mean something else.
        base = {} if "gen" in changed else {k: v for k, v in row.items() if k in _SETTINGS}
        merged = base | {k: v for k, v in changed.items() if k in _SETTINGS}
        role = row.get("role", "in")
        if role not in _ROLES:
            self.fail(f"array {name}: role is {role!r}, not one of {', '.join(_ROLES)}")
        compare = row.get("compare", "auto")
        if compare not in _COMPARE:
            self.fail(f"array {name}: compare is {compare!r}, not one of {', '.join(_COMPARE)}")
        rule = changed.get("gen", row.get("gen"))
        if rule is None and role != "out":
            self.fail(f"array {name} has no generator ('gen')")
        if rule is not None and rule not in RULES:
            self.fail(
                f"array {name}: there is no generator {rule!r}; known: {', '.join(sorted(RULES))}"
            )
        shape = row.get("shape")
        if not isinstance(shape, list):
            self.fail(f"array {name}: shape is {shape!r}, not a list")
        lengths = tuple(self.whole(s, sizes) for s in shape)
        if any(length < 0 for length in lengths):
            self.fail(f"array {name} has a negative length: {lengths}")
        settings = {key: self.setting(value, sizes) for key, value in merged.items()}
        fields = self.fields(row.get("fields"), name, sizes) if rule == RECORD else ()
        return ArrayArg(
            name,
            self.dtype(row, name),
            lengths,
            role,
            Generator(rule or "zeros", settings, fields),
            compare,
        )

    def fields(
        self, rows: object, name: str, sizes: Mapping[str, Number]
    ) -> tuple[tuple[DType, Generator], ...]:
        """What fills the members of an array of structs."""
        if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
            self.fail(f"array {name}: 'record' needs 'fields', a list of {{dtype, gen, ...}}")
        found = []
        for row in rows:
            self.only(row, {"dtype", "gen"} | _SETTINGS)
            rule = row.get("gen")
            if rule not in RULES - {RECORD}:
                self.fail(f"array {name}: a field's generator is {rule!r}")
            settings = {k: self.setting(v, sizes) for k, v in row.items() if k in _SETTINGS}
            found.append((self.dtype(row, name), Generator(rule, settings)))
        return tuple(found)

    def setting(self, value: object, sizes: Mapping[str, Number]) -> object:
        if isinstance(value, list):
            return tuple(self.number(v, sizes) for v in value)
        return self.number(value, sizes)

    def dtype(self, row: Mapping[str, Any], name: str) -> DType:
        dtype = DTYPES.get(str(row.get("dtype")))
        if dtype is None:
            self.fail(f"{name}: dtype is {row.get('dtype')!r}; known: {', '.join(DTYPES)}")
        return dtype

    def dim3(self, value: object, params: Mapping[str, Number], what: str) -> Dim3:
        items = value if isinstance(value, list) else [value]
        if value is None or not 1 <= len(items) <= 3:
            self.fail(f"{what} is {value!r}, not a list of one to three sizes")
        sizes = [self.whole(item, params) for item in items]
        if any(size < 1 for size in sizes):
            self.fail(f"{what} is {tuple(sizes)}; every size must be at least 1")
        x, y, z = (*sizes, 1, 1)[:3]
        return (x, y, z)

    def number(self, value: object, names: Mapping[str, Number]) -> Number:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            self.fail(f"{value!r} is not a number or an expression")
        try:
            return evaluate(value, names)
        except ExpressionError as error:
            self.fail(str(error))

    def whole(self, value: object, names: Mapping[str, Number]) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            self.fail(f"{value!r} is not a size")
        try:
            return evaluate_int(value, names)
        except ExpressionError as error:
            self.fail(str(error))

    def only(self, table: Mapping[str, Any], allowed: set[str]) -> None:
        for key in table:
            if key not in allowed:
                self.fail(f"unknown key '{key}' (allowed: {', '.join(sorted(allowed))})")

    def text(self, value: object, what: str) -> str:
        if not isinstance(value, str) or not value:
            self.fail(f"the {what} is {value!r}, not a text")
        return value

    def tables(self, value: object, what: str) -> Sequence[Mapping[str, Any]]:
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            self.fail(f"'{what}' is not a list of tables")
        return value


def _short(value: Number) -> str:
    return (
        f"{value:g}".replace(".", "p").replace("-", "m") if isinstance(value, float) else str(value)
    )
