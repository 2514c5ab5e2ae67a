"""Say what all lanes hold, when what they hold is made of other lanes' values.

    lane 0 .. T-1 each hold x0 + x1 + ... + x(T-1)            LaneReduce +, the same in all lanes
    lane t holds x0 + ... + xt                                LaneReduce + scan inclusive
    lane t holds acc_t + sum_k a[t/16, k] * b[k, t%16]        acc + LaneDot
    lane t holds x(t ^ 1)                                     LaneGather

Lanes that are not active may hold anything. A form is taken only if it fits every active lane.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossport.ir.lift import flat, fold
from crossport.ir.lift.names import Names
from crossport.ir.nodes import BinaryOp, Expr, Intrinsic, Read, Select, Var
from crossport.ir.tile.affine import fit, lane, predicate
from crossport.ir.tile.graph import AC_OPERATORS, Graph, Ids
from crossport.ir.tile.limits import MOST_OPERATORS, MOST_SUMMARIES, NotLifted
from crossport.ir.types import BOOL, F32, F64, I32, I64, Scalar

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class _Group:
    """The atoms of one variable among a lane's operands."""

    name: str
    lanes: tuple[int, ...]


class Summariser:
    """Finds summaries for one block shape."""

    def __init__(
        self,
        graph: Graph,
        threads: int,
        block: tuple[int, int, int],
        names: Names,
        types: dict[str, Scalar],
    ) -> None:
        self.graph = graph
        self.threads = threads
        self.block = block
        self.names = names
        self.types = types
        self.count = 0
        self.operators = 0
        """How many operators stand around what is expressed now."""
        self.known: dict[tuple[object, ...], Expr] = {}
        self.kept: set[str] = set()
        self._splits: dict[bytes, tuple[dict[str, list[int]], list[int]]] = {}
        self.tables: list[flat.GlobalArray] = []
        """Numbers by lane that have no formula."""

    def hoist(self, var: Var) -> None:
        """Note a variable that holds a lane's own value for others to see."""
        self.kept.add(var.name)

    def express(self, ids: Ids, act: Mask, kind: Scalar, out: flat.Body) -> Expr:
        """The value in the active lanes; statements that it needs go to `out`."""
        lanes = np.nonzero(act)[0].astype(np.int64)
        return self._express(ids[lanes], lanes, kind, out)

    # --- Forms ----------------------------------------------------------------------------------

    def _express(self, ids: Ids, lanes: Ids, kind: Scalar, out: flat.Body) -> Expr:
        entries = [self.graph.nodes[i] for i in ids.tolist()]
        heads = {str(e[0]) for e in entries}
        if "undef" in heads:
            raise NotLifted("a value that nobody wrote is used")
        if heads == {"const"}:
            return self._constants(entries, lanes, kind, out)
        if heads == {"atom"}:
            return self._atoms(ids, lanes, kind, out)
        chains = heads & AC_OPERATORS
        if len(chains) == 1:
            found = self._chain(chains.pop(), ids, lanes, kind, out)
            if found is not None:
                return found
        if len(heads) == 1 and heads <= AC_OPERATORS:
            # No summary as a whole: operand by operand.
            head = heads.pop()
            columns = np.array([[int(a) for a in e[1:]] for e in entries], np.int64)
            self.operators += 1
            if self.operators > MOST_OPERATORS:
                raise NotLifted(f"a value of more than {MOST_OPERATORS} operators has no summary")
            parts = [
                self._express(columns[:, j], lanes, kind, out) for j in range(columns.shape[1])
            ]
            self.operators -= 1
            return applied(head, parts[0], parts[1], kind)
        return self._classes(ids, lanes, [str(e[0]) for e in entries], kind, out)

    def _constants(
        self, entries: list[tuple[object, ...]], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr:
        values = [e[1] for e in entries]
        if len(set(values)) == 1:
            return fold.constant(values[0], kind)  # type: ignore[arg-type]
        if kind.is_integer:
            table = np.array(values, np.int64)
            found = fit(table, lanes, self.threads)
            if found is not None:
                return fold.cast(found, kind)
            if kind.size == 4:
                return fold.cast(self._table(table, lanes, out), kind)
        raise NotLifted("a table of constants")

    def _table(self, values: NDArray[np.int64], lanes: Ids, out: flat.Body) -> Expr:
        """Numbers that have no formula, looked up by lane."""
        numbers = np.zeros(self.threads, np.int64)
        numbers[lanes] = values
        self._count()
        # The name tells tables of different contents apart.
        root = flat.Root(
            f"lane_table_{zlib.crc32(numbers.tobytes()):08x}", "constant", I32, 4 * self.threads
        )
        if all(t.root != root for t in self.tables):
            contents = tuple(numbers.tolist())
            self.tables.append(flat.GlobalArray(root, self.threads, contents, is_lookup=True))
        var = Var(self.names.fresh("looked_up"), I32)
        out.append(flat.Load(var, flat.Ref(root, fold.cast(lane(), I64), I32, 4)))
        return Read(var)

    def _atoms(self, ids: Ids, lanes: Ids, kind: Scalar, out: flat.Body) -> Expr:
        entries = [self.graph.nodes[i] for i in ids.tolist()]
        sources = [str(e[1]) for e in entries]
        if len(set(sources)) > 1:
            return self._classes(ids, lanes, sources, kind, out)
        source = Var(sources[0], self.types[sources[0]])
        where = np.array([int(e[2]) for e in entries], np.int64)
        if (where == lanes).all():
            return Read(source)
        index = fit(where, lanes, self.threads)
        if index is None:
            index = self._table(where, lanes, out)
        return self._emit(("gather", source.name, index), flat.LaneGather, source, index, out)

    def _emit(
        self, key: tuple[object, ...], make: type[flat.LaneGather], source: Var, index: Expr,
        out: flat.Body,
    ) -> Expr:  # fmt: skip
        self._count()
        var = Var(self.names.fresh(f"{source.name}_moved"), source.type)
        out.append(make(var, Read(source), index))
        return Read(var)

    def _count(self) -> None:
        self.count += 1
        if self.count > MOST_SUMMARIES:
            raise NotLifted("its exchanges have no short summary")

    def _classes(
        self, ids: Ids, lanes: Ids, labels: list[str], kind: Scalar, out: flat.Body
    ) -> Expr:
        """Different forms in different lanes: a choice by lane."""
        kinds = sorted(set(labels))
        if len(kinds) < 2 or len(kinds) > 6:
            raise NotLifted("lanes hold values of too many kinds")
        names = np.array(labels)
        result: Expr | None = None
        # The class with most lanes stands last: it needs no condition.
        for label in sorted(kinds, key=lambda k: -int((names == k).sum())):
            mask = names == label
            value = self._express(ids[mask], lanes[mask], kind, out)
            if result is None:
                result = value
                continue
            everywhere = np.zeros(self.threads, bool)
            everywhere[lanes[mask]] = True
            test = self._test(everywhere, lanes, out)
            result = Select(test, value, result)
        assert result is not None
        return result

    def _test(self, wanted: Mask, lanes: Ids, out: flat.Body) -> Expr:
        """A condition that tells these lanes from the other active ones."""
        found = predicate(wanted, self.threads)
        if found is None:
            # Lanes that are not here may fall on either side.
            free = np.ones(self.threads, bool)
            free[lanes] = False
            found = predicate(wanted | free, self.threads)
        if found is None:
            members = wanted[lanes].astype(np.int64)
            return fold.binary("!=", self._table(members, lanes, out), fold.constant(0, I32))
        return found

    # --- Chains of one operator -----------------------------------------------------------------

    def _chain(self, op: str, ids: Ids, lanes: Ids, kind: Scalar, out: flat.Body) -> Expr | None:
        leaves = [self.graph.leaves(i, op) for i in ids.tolist()]
        keys = {leaf.tobytes() for leaf in leaves}
        if len(keys) == 1:
            return self._uniform_chain(op, leaves[0], lanes, kind, out)
        return (
            self._dot(op, leaves, lanes, kind, out)
            or self._grouped(op, leaves, lanes, kind, out)
            or self._scan(op, leaves, lanes, kind, out)
            or self._by_variable(op, leaves, lanes, kind, out)
        )

    def _by_variable(
        self, op: str, leaves: list[Ids], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """The combination of what each variable gives: of one a scan, of another all lanes."""
        parts = [self._split(leaf) for leaf in leaves]
        numbers: set[object] = set()
        for _, rest in parts:
            entries = [self.graph.nodes[r] for r in rest]
            if any(e[0] != "const" for e in entries):
                return None
            unit = neutral(op, kind)
            numbers.add(tuple(
                e[1] for e in entries if fold.constant(e[1], kind) != unit  # type: ignore[arg-type]
            ))  # fmt: skip
        names = sorted({name for atoms, _ in parts for name in atoms})
        if numbers != {()} or len(names) < 2:
            return None
        result: Expr | None = None
        for name in names:
            part = self._share(op, name, [a.get(name, []) for a, _ in parts], lanes, kind, out)
            if part is None:
                return None
            result = part if result is None else applied(op, result, part, kind)
        return result

    def _share(
        self, op: str, name: str, rows: list[list[int]], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """What one variable gives to each lane's combination."""
        if all(row == [t] for row, t in zip(rows, lanes.tolist(), strict=True)):
            return Read(Var(name, self.types[name]))
        chains = [
            np.array([self.graph.make("atom", name, t) for t in row], np.int64) for row in rows
        ]
        if len({tuple(sorted(row)) for row in rows}) == 1:
            return self._uniform_chain(op, chains[0], lanes, kind, out)
        return self._grouped(op, chains, lanes, kind, out) or self._scan(
            op, chains, lanes, kind, out
        )

    def _split(self, leaves: Ids) -> tuple[dict[str, list[int]], list[int]]:
        """Atoms by variable, and the rest; of a chain that other lanes hold too, once."""
        key = leaves.tobytes()
        if key not in self._splits:
            self._splits[key] = self._split_once(leaves)
        return self._splits[key]

    def _split_once(self, leaves: Ids) -> tuple[dict[str, list[int]], list[int]]:
        atoms: dict[str, list[int]] = {}
        rest: list[int] = []
        for leaf in leaves.tolist():
            entry = self.graph.nodes[leaf]
            if entry[0] == "atom":
                atoms.setdefault(str(entry[1]), []).append(int(entry[2]))
            else:
                rest.append(leaf)
        return atoms, rest

    def _uniform_chain(
        self, op: str, leaves: Ids, lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """All active lanes hold the same combination."""
        atoms, rest = self._split(leaves)
        consts = [self.graph.nodes[r] for r in rest]
        if any(c[0] != "const" for c in consts):
            return None
        by_lanes: dict[tuple[int, ...], list[str]] = {}
        for name, where in atoms.items():
            if len(set(where)) != len(where):
                return None
            by_lanes.setdefault(tuple(sorted(where)), []).append(name)
        result: Expr | None = None
        for places, names in by_lanes.items():
            if len(places) == 1:
                return None
            value: Expr | None = None
            for name in sorted(names):
                read: Expr = Read(Var(name, self.types[name]))
                value = read if value is None else applied(op, value, read, kind)
            assert value is not None
            if len(places) < self.threads:
                mask = np.zeros(self.threads, bool)
                mask[list(places)] = True
                test = predicate(mask, self.threads)
                if test is None:
                    return None
                value = Select(test, value, neutral(op, kind))
            part = self._reduce(op, value, kind, 0, None, out)
            result = part if result is None else applied(op, result, part, kind)
        for entry in consts:
            number = fold.constant(entry[1], kind)  # type: ignore[arg-type]
            if number == neutral(op, kind):
                continue
            result = number if result is None else applied(op, result, number, kind)
        return result

    def _reduce(
        self, op: str, source: Expr, kind: Scalar, width: int, scan: str | None, out: flat.Body
    ) -> Expr:
        key = (op, source, width, scan)
        if key in self.known and any(s for s in out):
            pass
        self._count()
        words = {"+": "sum", "*": "product", "&": "and", "|": "or", "^": "xor"}
        word = words.get(op, op.strip("_").removesuffix("f"))
        stem = f"{word}_{'scan' if scan else 'all' if not width else 'group'}"
        var = Var(self.names.fresh(stem), kind)
        out.append(flat.LaneReduce(var, op, source, width, scan))  # type: ignore[arg-type]
        return Read(var)

    def _rows(self, leaves: list[Ids]) -> tuple[str, list[list[int]]] | None:
        """Each lane's source lanes, where all operands are atoms of one variable."""
        rows: list[list[int]] = []
        name = ""
        for leaf in leaves:
            atoms, rest = self._split(leaf)
            if rest or len(atoms) > 1:
                return None
            for found, where in atoms.items():
                if name and found != name:
                    return None
                name = found
                rows.append(sorted(where))
            if not atoms:
                return None
        return (name, rows) if name else None

    def _grouped(
        self, op: str, leaves: list[Ids], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """Each lane holds the combination of the group of lanes that it is in."""
        parts = [self._split(leaf) for leaf in leaves]
        names = {tuple(sorted(atoms)) for atoms, _ in parts}
        if len(names) != 1 or any(rest for _, rest in parts):
            return None
        sources = names.pop()
        first = parts[0][0][sources[0]]
        width = len(first)
        if width < 2 or self.threads % width or width & (width - 1):
            return None
        for (atoms, _), t in zip(parts, lanes.tolist(), strict=True):
            start = t // width * width
            for where in atoms.values():
                if sorted(where) != list(range(start, start + width)):
                    return None
        value: Expr | None = None
        for name in sources:
            read: Expr = Read(Var(name, self.types[name]))
            value = read if value is None else applied(op, value, read, kind)
        assert value is not None
        return self._reduce(op, value, kind, width, None, out)

    def _scan(
        self, op: str, leaves: list[Ids], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """Each lane holds the combination of the lanes up to it, or before it."""
        found = self._rows_or_empty(op, leaves, kind)
        if found is None:
            return None
        name, rows = found
        for width in dict.fromkeys((self.threads, 32, *self.block[:1])):
            if self.threads % width:
                continue
            for scan, extra in (("inclusive", 1), ("exclusive", 0)):
                fits = all(
                    row == list(range(t // width * width, t + extra))
                    for row, t in zip(rows, lanes.tolist(), strict=True)
                )
                if fits:
                    source = Read(Var(name, self.types[name]))
                    whole = 0 if width == self.threads else width
                    return self._reduce(op, source, kind, whole, scan, out)
        return None

    def _rows_or_empty(
        self, op: str, leaves: list[Ids], kind: Scalar
    ) -> tuple[str, list[list[int]]] | None:
        unit = neutral(op, kind)
        name = ""
        rows: list[list[int]] = []
        for leaf in leaves:
            atoms, rest = self._split(leaf)
            for r in rest:
                entry = self.graph.nodes[r]
                if entry[0] != "const" or fold.constant(entry[1], kind) != unit:  # type: ignore[arg-type]
                    return None
            if len(atoms) > 1:
                return None
            for found in atoms:
                if name and name != found:
                    return None
                name = found
            rows.append(sorted(atoms[name]) if name in atoms else [])
        return (name, rows) if name else None

    # --- Matrix products ------------------------------------------------------------------------

    def _dot(
        self, op: str, leaves: list[Ids], lanes: Ids, kind: Scalar, out: flat.Body
    ) -> Expr | None:
        """Each lane holds something of its own plus a row of one tile times a column of another."""
        if op != "+" or len(lanes) != self.threads or kind not in (F32, F64):
            return None
        own: str | None = None
        products: list[list[tuple[tuple[str, int], tuple[str, int]]]] = []
        for leaf, t in zip(leaves, lanes.tolist(), strict=True):
            row: list[tuple[tuple[str, int], tuple[str, int]]] = []
            for node in leaf.tolist():
                entry = self.graph.nodes[node]
                if entry[0] == "atom" and entry[2] == t and own in (None, entry[1]):
                    own = str(entry[1])
                elif entry[0] == "*":
                    a, b = (self.graph.nodes[int(x)] for x in entry[1:])
                    if a[0] != "atom" or b[0] != "atom":
                        return None
                    row.append(((str(a[1]), int(a[2])), (str(b[1]), int(b[2]))))  # type: ignore[call-overload]
                elif entry[0] != "const" or entry[1] != 0:
                    return None
            products.append(row)
        inner = len(products[0])
        if inner < 2 or any(len(row) != inner for row in products):
            return None
        columns = self.block[0]
        rows = self.threads // columns
        found = self._match(products, rows, columns, inner, swapped=False) or self._match(
            products, rows, columns, inner, swapped=True
        )
        if found is None:
            return None
        a_name, b_name, a_columns, b_columns = found
        self._count()
        var = Var(self.names.fresh("product"), kind)
        out.append(
            flat.LaneDot(
                var,
                Read(Var(a_name, kind)),
                Read(Var(b_name, kind)),
                rows,
                inner,
                columns,
                a_columns,
                b_columns,
            )
        )
        if own is None:
            return Read(var)
        return fold.binary("+", Read(Var(own, kind)), Read(var))

    def _match(
        self,
        products: list[list[tuple[tuple[str, int], tuple[str, int]]]],
        rows: int,
        columns: int,
        inner: int,
        *,
        swapped: bool,
    ) -> tuple[str, str, bool, bool] | None:
        """(A, B, A by columns, B by columns) if the products are those of a matrix product."""
        pick = (1, 0) if swapped else (0, 1)
        a_names = {row[0][pick[0]][0] for row in products}
        b_names = {row[0][pick[1]][0] for row in products}
        if len(a_names) != 1 or len(b_names) != 1:
            return None
        a_name, b_name = a_names.pop(), b_names.pop()
        if rows * inner != self.threads or inner * columns != self.threads:
            return None
        for a_columns in (False, True):
            for b_columns in (False, True):
                fits = True
                for t, row in enumerate(products):
                    i, j = divmod(t, columns)
                    wanted = {
                        (
                            (a_name, k * rows + i if a_columns else i * inner + k),
                            (b_name, j * inner + k if b_columns else k * columns + j),
                        )
                        for k in range(inner)
                    }
                    if {(p[pick[0]], p[pick[1]]) for p in row} != wanted:
                        fits = False
                        break
                if fits:
                    return a_name, b_name, a_columns, b_columns
        return None


def neutral(op: str, kind: Scalar) -> Expr:
    """The value that changes nothing."""
    bits = 8 * kind.size
    if op in ("+", "|", "^"):
        return fold.constant(0, kind)
    if op == "*":
        return fold.constant(1, kind)
    if op == "&":
        return fold.constant(-1, kind)
    largest = "min" in op
    if kind.is_float:
        return fold.constant(float("inf") if largest else float("-inf"), kind)
    if kind.is_signed:
        number = (1 << (bits - 1)) - 1 if largest else -(1 << (bits - 1))
    else:
        number = (1 << bits) - 1 if largest else 0
    return fold.constant(number, kind)


def applied(op: str, lhs: Expr, rhs: Expr, kind: Scalar) -> Expr:
    """The operator of a chain, on two values."""
    operators: tuple[BinaryOp, ...] = ("+", "*", "&", "|", "^")
    for known in operators:
        if op == known:
            return fold.binary(known, lhs, rhs)
    return Intrinsic(op, (lhs, rhs), kind)


__all__ = ["BOOL", "I32", "NotLifted", "Summariser", "applied", "neutral"]
