"""cuRAND's generators XORWOW and Philox4x32-10: the integers are cuRAND's, bit by bit.

    curand_init(seed, sequence, offset, &state)      XORWOW: jump 2**67 * sequence + offset steps
    curand(&state)                                   Philox: counter (offset/4, sequence), key seed

The state is kept in the program's own state variable, so it may be copied, stored and reloaded.
Uniform numbers are exact too; normal ones go through log, sin and cos, which on the GPU are the
fast approximations. Other generators (MRG32k3a, Sobol) are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from crossport.ir.interpreter.intrinsics import Kinds
from crossport.ir.interpreter.kinds import kind_named, state_words
from crossport.ir.interpreter.masks import Mask, lanes_of
from crossport.ir.interpreter.pointers import load, store
from crossport.ir.types import Pointer, Type

if TYPE_CHECKING:
    from crossport.ir.interpreter.runtime import Runtime

Effect = Callable[..., Any]
Words = list[Any]

_U32, _U64 = np.uint32, np.uint64
_K32, _KF32, _KF64 = kind_named("u32"), kind_named("f32"), kind_named("f64")
_INVERSE = np.float32(2.3283064e-10)
_INVERSE_DOUBLE = 1.1102230246251565e-16


def find(name: str, result: Kinds, types: tuple[Type, ...]) -> Effect | None:
    """The meaning of a cuRAND function for the generator that its state belongs to, or None."""
    pointers = [t for t in types if isinstance(t, Pointer)]
    words = state_words(pointers[-1].element) if pointers else 0
    if not words:
        return None
    generator: type[_Xorwow] | type[_Philox] = _Xorwow if words == 12 else _Philox
    if name == "curand_init":
        return lambda rt, mask, site, seed, sequence, offset, state: generator(
            rt, mask, site, state
        ).start(seed, sequence, offset)
    if name in ("skipahead", "skipahead_sequence", "skipahead_subsequence"):
        return None
    draw = _DRAWS.get(name)
    if draw is None or (name.endswith("4") and generator is not _Philox):
        return None
    wanted = draw

    def call(rt: Runtime, mask: Mask, site: int, *args: Any) -> Any:
        found = wanted(generator(rt, mask, site, args[0]), *args[1:])
        if isinstance(found, tuple) and len(result) == 1:
            return found[0]
        return found

    return call


class _State:
    """A generator's state in memory, word by word."""

    flag = spare = 0

    def __init__(self, rt: Runtime, mask: Mask, site: int, pointer: Any) -> None:
        self.rt, self.mask, self.site, self.pointer = rt, mask, site, pointer

    def get(self, word: int, mask: Any = None) -> Any:
        """Word number `word` of the state."""
        lanes = self.mask if mask is None else mask
        return load(self.rt, lanes, self.pointer, word, _K32, self.site)

    def put(self, word: int, value: Any, mask: Any = None) -> None:
        """It becomes `value`."""
        lanes = self.mask if mask is None else mask
        store(self.rt, lanes, self.pointer, word, value, _K32, self.site)

    def draw(self, mask: Any = None) -> Any:
        """The next 32 bits."""
        raise NotImplementedError

    def normal(self) -> Any:
        """One of the pair that Box and Muller make; the other waits in the state."""
        every = lanes_of(self.mask, self.rt.lanes)
        waiting = every & (np.broadcast_to(self.get(self.flag), self.rt.lanes) != 0)
        fresh = every & ~waiting
        found = np.zeros(self.rt.lanes, np.float32)
        if waiting.any():
            found = np.where(
                waiting, load(self.rt, waiting, self.pointer, self.spare, _KF32, self.site), found
            )
            self.put(self.flag, _U32(0), waiting)
        if fresh.any():
            first, second = box_muller(self.draw(fresh), self.draw(fresh))
            found = np.where(fresh, first, found)
            store(self.rt, fresh, self.pointer, self.spare, second, _KF32, self.site)
            self.put(self.flag, _U32(1), fresh)
        return found


class _Xorwow(_State):
    """d, v[5], then cuRAND's flags and spare normals: 48 bytes."""

    flag, spare = 6, 8

    def start(self, seed: Any, sequence: Any, offset: Any) -> None:
        """`curand_init`."""
        seed = np.asarray(seed).astype(_U64)
        s0 = seed.astype(_U32) ^ _U32(0xAAD26B49)
        s1 = (seed >> _U64(32)).astype(_U32) ^ _U32(0xF7DCEFDD)
        t0, t1 = _U32(1099087573) * s0, _U32(2591861531) * s1
        v = [
            _U32(123456789) + t0, _U32(362436069) ^ t0, _U32(521288629) + t1,
            _U32(88675123) ^ t1, _U32(5783321) + t0,
        ]  # fmt: skip
        d = _U32(6615241) + t1 + t0
        v = _jump(v, np.asarray(sequence).astype(_U64), 67)
        v = _jump(v, np.asarray(offset).astype(_U64), 0)
        d = d + _U32(362437) * np.asarray(offset).astype(_U32)
        self.put(0, d[()])
        for i, word in enumerate(v):
            self.put(1 + i, np.asarray(word)[()])
        for i in range(6, 12):
            self.put(i, _U32(0))

    def draw(self, mask: Any = None) -> Any:
        """One step of Marsaglia's xorwow."""
        d = self.get(0, mask)
        v = [self.get(1 + i, mask) for i in range(5)]
        t = v[0] ^ (v[0] >> _U32(2))
        last = (v[4] ^ (v[4] << _U32(4))) ^ (t ^ (t << _U32(1)))
        d = d + _U32(362437)
        for i, word in enumerate((d, *v[1:], last)):
            self.put(i, word, mask)
        return last + d

    def uniform_double(self) -> Any:
        """53 bits out of two draws."""
        x, y = self.draw(), self.draw()
        return _double(x, y)


class _Philox(_State):
    """ctr[4], output[4], key[2], STATE, then cuRAND's flags and spare normals: 64 bytes."""

    flag, spare = 11, 13

    def start(self, seed: Any, sequence: Any, offset: Any) -> None:
        """`curand_init`."""
        seed, sequence, offset = (np.asarray(v).astype(_U64) for v in (seed, sequence, offset))
        position = (offset & _U64(3)).astype(_U32)
        block = offset >> _U64(2)
        counter = [_low(block), _high(block), _low(sequence), _high(sequence)]
        key = [_low(seed), _high(seed)]
        for i, word in enumerate([*counter, *philox(counter, key), *key, position]):
            self.put(i, np.asarray(word)[()])
        for i in range(11, 16):
            self.put(i, _U32(0))

    def draw(self, mask: Any = None) -> Any:
        """The next of the four numbers of a block."""
        position = self.get(10, mask)
        output = [self.get(4 + i, mask) for i in range(4)]
        found = np.choose(np.broadcast_to(position & _U32(3), self.rt.lanes), output)
        every = lanes_of(self.mask if mask is None else mask, self.rt.lanes)
        full = every & (np.broadcast_to(position, self.rt.lanes) >= 3)
        self.put(10, position + _U32(1), mask)
        if full.any():
            self.put(10, _U32(0), full)
            self.advance(full)
        return found

    def advance(self, mask: Any) -> list[Any]:
        """The next block."""
        counter = [self.get(i, mask) for i in range(4)]
        key = [self.get(8, mask), self.get(9, mask)]
        carry: Any = True
        for i in range(4):
            counter[i] = counter[i] + np.where(carry, _U32(1), _U32(0))
            carry = carry & (counter[i] == 0)
        output = philox(counter, key)
        for i in range(4):
            self.put(i, counter[i], mask)
            self.put(4 + i, output[i], mask)
        return output

    def draw4(self) -> tuple[Any, ...]:
        """Four numbers at once, from where the state stands."""
        position = np.broadcast_to(self.get(10), self.rt.lanes)
        old = [self.get(4 + i) for i in range(4)]
        new = self.advance(self.mask)
        both = [*old, *new]
        return tuple(
            np.choose(position & _U32(3), [both[i + s] for s in range(4)]) for i in range(4)
        )

    def uniform_double(self) -> Any:
        """53 bits out of two draws."""
        x, y = self.draw(), self.draw()
        return _double(x, y)


def _low(x: Any) -> Any:
    return x.astype(_U32)


def _high(x: Any) -> Any:
    return (x >> _U64(32)).astype(_U32)


def philox(counter: Words, key: Words) -> Words:
    """Philox4x32-10 (Salmon et al., SC 2011)."""
    x, y, z, w = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = _U64(0xD2511F53) * x.astype(_U64), _U64(0xCD9E8D57) * z.astype(_U64)
        x, y, z, w = _high(p1) ^ y ^ k0, _low(p1), _high(p0) ^ w ^ k1, _low(p0)
        k0, k1 = k0 + _U32(0x9E3779B9), k1 + _U32(0xBB67AE85)
    return [x, y, z, w]


# --- Distributions --------------------------------------------------------------------------------


def uniform(x: Any) -> Any:
    """(0, 1] in f32."""
    return x.astype(np.float32) * _INVERSE + _INVERSE / np.float32(2)


def _double(x: Any, y: Any) -> Any:
    z = x.astype(_U64) ^ (y.astype(_U64) << _U64(21))
    return z.astype(np.float64) * _INVERSE_DOUBLE + _INVERSE_DOUBLE / 2


def box_muller(x: Any, y: Any) -> tuple[Any, Any]:
    """Two normal f32 numbers out of two uniform ones."""
    u = uniform(x).astype(np.float64)
    angle = np.float32(2.3283064e-10 * 6.2831855)
    v = (y.astype(np.float32) * angle + angle / np.float32(2)).astype(np.float64)
    s = np.sqrt(-2.0 * np.log(u))
    return (np.sin(v) * s).astype(np.float32), (np.cos(v) * s).astype(np.float32)


def _pairs(state: Any) -> tuple[Any, ...]:
    x, y, z, w = state.draw4()
    return (*box_muller(x, y), *box_muller(z, w))


_DRAWS: dict[str, Callable[..., Any]] = {
    "curand": lambda s: s.draw(),
    "curand4": lambda s: s.draw4(),
    "curand_uniform": lambda s: uniform(s.draw()),
    "curand_uniform4": lambda s: tuple(uniform(x) for x in s.draw4()),
    "curand_uniform_double": lambda s: s.uniform_double(),
    "curand_normal": lambda s: s.normal(),
    "curand_normal2": lambda s: box_muller(s.draw(), s.draw()),
    "curand_normal4": _pairs,
    "curand_log_normal": lambda s, mean, deviation: np.exp(
        mean + s.normal().astype(np.float64) * deviation
    ).astype(np.float32),
}


# --- XORWOW's jumps -------------------------------------------------------------------------------

Matrix = NDArray[np.uint8]


@lru_cache(maxsize=256)
def _power(exponent: int) -> Matrix:
    """The step of XORWOW's 160 bits, 2**exponent times, as a matrix over GF(2)."""
    if exponent:
        half = _power(exponent - 1)
        return np.asarray((half.astype(np.uint16) @ half.astype(np.uint16)) & 1, np.uint8)
    columns = np.zeros((160, 160), np.uint8)
    for bit in range(160):
        v = [0] * 5
        v[bit // 32] = 1 << (bit % 32)
        t = v[0] ^ (v[0] >> 2)
        last = (v[4] ^ (v[4] << 4) ^ t ^ (t << 1)) & 0xFFFFFFFF
        for word, value in enumerate((*v[1:], last)):
            for i in range(32):
                columns[word * 32 + i, bit] = value >> i & 1
    return columns


def _jump(v: Words, count: Any, shift: int) -> Words:
    """XORWOW's words after `count << shift` steps."""
    count = np.asarray(count)
    if not count.any():
        return v
    lanes = np.broadcast_shapes(count.shape, *(np.shape(w) for w in v))
    words = np.stack([np.broadcast_to(w, lanes).reshape(-1) for w in v])
    bits = ((words[:, None, :] >> np.arange(32, dtype=_U32)[None, :, None]) & _U32(1)).reshape(
        160, -1
    )
    bits = bits.astype(np.uint8)
    steps = np.broadcast_to(count, lanes).reshape(-1)
    most = int(steps.max()).bit_length()
    for i in range(most):
        chosen = np.flatnonzero((steps >> _U64(i)) & _U64(1))
        if chosen.size:
            # Sums of up to 160 ones: f32 products are exact and fast.
            moved = _power(shift + i).astype(np.float32) @ bits[:, chosen].astype(np.float32)
            bits[:, chosen] = moved.astype(np.int32) & 1
    weights = (_U32(1) << np.arange(32, dtype=_U32))[None, :, None]
    back = (bits.reshape(5, 32, -1).astype(_U32) * weights).sum(1, dtype=_U32)
    return [word.reshape(lanes)[()] for word in back]


__all__ = ["find", "philox"]
