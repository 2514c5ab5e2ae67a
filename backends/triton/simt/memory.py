"""Loads, stores and atomics, with a barrier wherever one must come after another."""

from __future__ import annotations

from crossport.backends.triton.expressions import tl_type
from crossport.backends.triton.extents import LANES, ROWS
from crossport.backends.triton.simt.state import Pending, State, stored
from crossport.backends.triton.simt.vectors import Access, offset_of
from crossport.ir.lift import flat
from crossport.ir.lift.flat import Ref, Root
from crossport.ir.lift.flatten import refuse
from crossport.ir.lift.tidy import reads
from crossport.ir.nodes import Cast, Const, Expr, Read
from crossport.ir.types import BOOL, I32, I64, U8

# What lanes do to one place can be done to a value of their own first: sums for now.
_COMBINED = {"add": ("tl.sum", "0")}


class Memory(State):
    """What reads and writes memory."""

    def pointer(self, ref: Ref, *, spread: bool) -> str:
        """The address; `spread`: as one a lane even where all lanes share it."""
        root, index = ref.root, ref.index
        kind = tl_type(stored(ref.type))
        if root.space in ("shared", "local"):
            self.uses_scratch = True
        if root.space == "address":
            text = f"{self.e.tight(index)}.to(tl.pointer_type({kind}))"
            return (
                text
                if not spread
                else f"({self.e.tight(index)} + {self.zero}).to(tl.pointer_type({kind}))"
            )
        if ref.is_whole:
            base = root.name if stored(root.element) == stored(ref.type) else self.view(root, kind)
            return self.offset(base, index, spread)
        base = root.name if stored(root.element) == U8 else self.view(root, "tl.uint8")
        return f"({self.offset(base, index, spread)}).to(tl.pointer_type({kind}), bitcast=True)"

    def offset(self, base: str, index: Expr, spread: bool) -> str:
        if isinstance(index, Cast) and index.type == I64 and index.value.type == I32:
            index = index.value  # Triton extends offsets with the sign
        extra = f" + {self.zero}" if spread else ""
        if isinstance(index, Const) and index.value == 0:
            return base + extra
        return f"{base} + {self.e.tight(index, 5)}{extra}"

    def view(self, root: Root, kind: str) -> str:
        key = (root.name, kind)
        if key not in self.views:
            self.views[key] = self.names.fresh(f"{root.name}_{kind.removeprefix('tl.')}")
        return self.views[key]

    def access(self, ref: Ref, *, store: flat.Statement | None = None) -> None:
        """Put a barrier before an access that another access of the block must precede.

        A statement needs none against itself, nor a store against a load of the same place: the
        same lane does both.
        """
        key = ref.root.name
        form = f"{self.e(ref.index)}:{ref.type}"
        written = self.pending.stores.get(key, set())
        loaded = self.pending.loads.get(key, set())
        if self.is_independent and not isinstance(store, flat.AtomicUpdate):
            # Threads do not wait for each other: what matters is what one of them does twice.
            written = {s for s in written if not self.is_apart(s, ref)}
            loaded = {f for f in loaded if not self.is_apart(f, ref)}
        if store is None:
            if written:
                self.barrier()
            self.pending.loads.setdefault(key, set()).add(form)
            self.note_place(form, ref)
            return
        own = str(id(store))
        if written - {own} or loaded - {form}:
            self.barrier()
        self.pending.stores.setdefault(key, set()).add(own)
        self.note_place(own, ref)

    def is_apart(self, earlier: str, ref: Ref) -> bool:
        """Is another access known to be at another place of the same thread?"""
        if not reads(ref.index) <= self.steady:
            return False  # the same text may mean another place in another round
        place = self.places.get(earlier)
        here = (*offset_of(ref.index), ref.unit)
        return place is not None and place[::2] == here[::2] and place[1] != here[1]

    def note_place(self, key: str, ref: Ref) -> None:
        """Remember where an access is; loads by their form, stores by their statement."""
        whole = ref.is_whole and ref.root.space != "address" and reads(ref.index) <= self.steady
        self.places[key] = (*offset_of(ref.index), ref.unit) if whole else None

    def barrier(self) -> None:
        if self.lines and self.lines[-1].strip() == "tl.debug_barrier()":
            self.pending = Pending()
            return
        self.line("tl.debug_barrier()")
        self.pending = Pending()

    def load(self, statement: flat.Load) -> None:
        var, ref = statement.var, statement.ref
        self.access(ref)
        varying = var.name in self.facts.varying
        if varying:
            mask = self.mask
            if self.extents.of(Read(var)) <= ROWS and (by_row := self.row_mask(ref)) is not None:
                mask = by_row if statement.guard is None else f"({by_row})"
            elif self.by_lane(statement):
                mask = "thread_x < BLOCK_X" if statement.guard is None else "(thread_x < BLOCK_X)"
            if statement.guard is not None:
                mask = self.masked(mask, statement.guard)
            spread = self.is_narrow(ref) and not self.by_lane(statement)
            arguments = f", mask={mask}, other=0"
        else:
            spread = False
            conditions = []
            if self.may_be_empty(self.mask) and not self.is_inside(ref):
                conditions.append(f"{self.e.use('_any')}({self.mask})")
            if statement.guard is not None:
                conditions.append(self.e.tight(statement.guard, 4))
            arguments = f", mask={' & '.join(conditions)}, other=0" if conditions else ""
        if statement.volatile:
            arguments += ", volatile=True"
        text = f"tl.load({self.pointer(ref, spread=spread)}{arguments})"
        if var.type == BOOL:
            text = f"{text} != 0"
        self.line(f"{var.name} = {text}")

    def by_lane(self, load: flat.Load) -> bool:
        """Does every block of the tile load the same, a lane each?"""
        alike = self.batched and self.extents.of(Read(load.var)) == LANES
        self.loads_alike = self.loads_alike or alike
        return alike

    def store(self, statement: flat.Store) -> None:
        ref, value = statement.ref, statement.value
        self.access(ref, store=statement)
        uniform_index = self.facts.is_uniform(ref.index) and ref.root.space != "local"
        is_bool = ref.type == BOOL
        text = f"{self.e.method(value)}.to(tl.uint8)" if is_bool else self.e(value)
        by_row = self.row_mask(ref, value)
        if by_row is not None:
            self.line(f"tl.store({self.pointer(ref, spread=False)}, {text}, mask={by_row})")
            return
        mask = self.mask
        spread = self.is_narrow(ref)
        if uniform_index and self.facts.is_uniform(value):
            if not self.may_be_empty(self.mask):
                self.line(f"tl.store({self.pointer(ref, spread=False)}, {text})")
                return
            spread = False
            mask = f"{self.e.use('_any')}({self.mask})"
        self.line(f"tl.store({self.pointer(ref, spread=spread)}, {text}, mask={mask})")

    def combined(self, statement: flat.AtomicUpdate) -> bool:
        """An update of one place by all lanes, as one of what they come to together."""
        ref, kind = statement.ref, statement.ref.type
        if not self.facts.is_uniform(ref.index) or kind.size < 4:
            return False
        if kind.is_float and not self.is_independent:
            return False  # a block has reduced what it could, in the order of the source
        function, neutral = _COMBINED[statement.op]
        unit = f"tl.full((), {neutral}, {tl_type(kind)})"
        mine = self.lanes(statement.operands[0])
        total = f"{function}(tl.where({self.mask}, {mine}, {unit}))"
        mask = f", mask={self.e.use('_any')}({self.mask})" if self.may_be_empty(self.mask) else ""
        scope = ', scope="cta"' if ref.root.space == "shared" else ""
        pointer = self.pointer(ref, spread=False)
        self.line(f'tl.atomic_add({pointer}, {total}{mask}, sem="relaxed"{scope})')
        return True

    def access_together(self, run: list[Access]) -> bool:
        """Neighbours in memory as one access, where lanes differ and stand in a row."""
        first = run[0]
        if (self.dimensions and not self.batched) or self.facts.is_uniform(first.ref.index):
            return False
        if self.batched and any(
            isinstance(s, flat.Load) and self.extents.of(Read(s.var)) <= ROWS for s in run
        ):
            return False  # one a block
        width = len(run)
        ids = {str(id(s)) for s in run}
        # Not the form of a single access: another thread may do that.
        forms = {f"{self.e(s.ref.index)}:{s.ref.type} of {width}": s.ref for s in run}
        key = first.ref.root.name
        loaded = self.pending.loads.setdefault(key, set())
        written = self.pending.stores.setdefault(key, set())
        if self.is_independent:
            written = {w for w in written if not all(self.is_apart(w, s.ref) for s in run)}
            loaded = {f for f in loaded if not all(self.is_apart(f, s.ref) for s in run)}
        if isinstance(first, flat.Load):
            if not all(s.var.name in self.facts.varying for s in run):  # type: ignore[union-attr]
                return False
            if written:
                self.barrier()
            self.pending.loads.setdefault(key, set()).update(forms)
            for form, ref in forms.items():
                self.note_place(form, ref)
        else:
            if written - ids or loaded - forms.keys():
                self.barrier()
            self.pending.stores.setdefault(key, set()).update(ids)
            for s in run:
                self.note_place(str(id(s)), s.ref)
        alike = isinstance(first, flat.Load) and all(self.by_lane(s) for s in run)  # type: ignore[arg-type]
        base = self.pointer(first.ref, spread=self.is_narrow(first.ref) and not alike)
        each, along = ("[:, None]", "[None, :]")
        if self.dimensions:
            each, along = ("[:, :, None]", "[None, None, :]")
        places = f"({base}){each} + tl.arange(0, {width}){along}"
        if isinstance(first, flat.Load):
            mask = "thread_x < BLOCK_X" if alike else self.mask
            if first.guard is not None:
                mask = self.masked(f"({mask})" if alike else mask, first.guard)
            parts = self.names.fresh(f"{first.ref.root.name}_parts")
            self.line(f"{parts} = tl.load({places}, mask=({mask}){each}, other=0)")
            names = ", ".join(s.var.name for s in run)  # type: ignore[union-attr]
            self.line(f"{names} = {self.e.use(f'_split{width}')}({parts})")
            for s in run:
                if s.ref.type != first.ref.type:
                    name = s.var.name  # type: ignore[union-attr]
                    self.line(f"{name} = {name}.to({tl_type(s.ref.type)}, bitcast=True)")
            return True
        values = []
        for s in run:
            text = self.lanes(s.value)  # type: ignore[union-attr]
            if self.dimensions and self.extents.is_narrow(s.value):  # type: ignore[union-attr]
                text = f"{text} + {self.zero}"
            if s.ref.type != first.ref.type:
                text = f"({text}).to({tl_type(first.ref.type)}, bitcast=True)"
            values.append(text)
        joined = f"{self.e.use(f'_join{width}')}({', '.join(values)})"
        self.line(f"tl.store({places}, {joined}, mask={self.mask}{each})")
        return True

    def by_one_thread(self, statement: flat.AtomicUpdate) -> bool:
        """An atomic of one thread for its block, as one of scalars."""
        var, ref, op = statement.var, statement.ref, statement.op
        if var is None or self.mask not in self.one_thread or op in ("min", "max"):
            return False
        if not all(self.facts.is_uniform(e) for e in (ref.index, *statement.operands)):
            return False
        kind = tl_type(ref.type)
        pointer = self.pointer(ref, spread=False)
        values = [self.e.typed(o) for o in statement.operands]
        if op in ("inc", "dec"):
            helper = self.e.use("_atomic_wrap_one")
            text = f"{helper}({pointer}, {values[0]}, {op == 'dec'})"
        elif op == "cas":
            text = f"tl.atomic_cas({pointer}, {', '.join(values)})"
        else:
            name = {"sub": "add", "exch": "xchg"}.get(op, op)
            value = f"0 - ({values[0]})" if op == "sub" else values[0]
            text = f"tl.atomic_{name}({pointer}, {value})"
        self.line(f"{var.name} = tl.full({self.shape}, 0, {kind})")
        self.line(f"if {self.e.use('_any')}({self.mask}):")
        with self.indented():
            self.line(f"{var.name} = tl.full({self.shape}, {text}, {kind})")
        return True

    def atomic(self, statement: flat.AtomicUpdate) -> None:
        ref, op, kind = statement.ref, statement.op, statement.ref.type
        if kind.size < 4 and not (op == "add" and kind.kind in ("f16", "bf16")):
            raise refuse(f"an atomic on {kind} has no Triton form", None)
        if op == "cas" and not kind.is_integer:
            raise refuse(f"a compare-and-swap on {kind} has no Triton form", None)
        if op in ("min", "max") and kind.is_float:
            raise refuse(f"an atomic {op} on {kind} has no Triton form", None)
        if ref.root.space == "local":
            raise refuse("an atomic on a local array", None)
        self.access(ref, store=statement)
        if statement.var is not None and self.pending.stores.keys() - {ref.root.name}:
            # The others may look at this counter to learn that earlier stores are there.
            self.barrier()
            self.access(ref, store=statement)
        if self.by_one_thread(statement):
            return
        pointer = self.pointer(ref, spread=self.is_narrow(ref))
        values = [self.e.typed(o) for o in statement.operands]
        target = f"{statement.var.name} = " if statement.var is not None else ""
        if op == "cas":
            self.uses_spare = True
            self.e.use("_atomic_cas")
            spare = f"slot.to(tl.pointer_type({tl_type(kind)}), bitcast=True)"
            compare, value = (self.lanes(o) for o in statement.operands)
            self.line(f"{target}_atomic_cas({pointer}, {compare}, {value}, {self.mask}, {spare})")
            return
        if op in ("inc", "dec"):
            self.uses_spare = True
            self.e.use("_atomic_wrap")
            spare = f"slot.to(tl.pointer_type({tl_type(kind)}), bitcast=True)"
            limit = self.lanes(statement.operands[0])
            self.line(
                f"{target}_atomic_wrap({pointer}, {limit}, {self.mask}, {spare}, {op == 'dec'})"
            )
            return
        name = {"sub": "add", "exch": "xchg"}.get(op, op)
        if statement.var is None and op in _COMBINED and self.combined(statement):
            return
        value = values[0]
        if op == "sub":
            value = f"0 - ({value})" if not kind.is_signed else f"-({value})"
        if name in ("min", "max") and kind.is_signed and statement.var is None:
            helper = self.e.use(f"_atomic_{name}")
            reach = '"cta"' if ref.root.space == "shared" else '"gpu"'
            self.line(f"{helper}({pointer}, {value}, {self.mask}, {reach})")
            return
        scope = ', scope="cta"' if ref.root.space == "shared" else ""
        relaxed = ', sem="relaxed"' if statement.var is None else ""
        self.line(f"{target}tl.atomic_{name}({pointer}, {value}, mask={self.mask}{relaxed}{scope})")
