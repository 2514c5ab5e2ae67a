"""Lay out one launch in a memory file: code, buffers, argument block, launch structure.

    0          Launch | operations | offsets | constants | regions | notes   (the emulator's own)
    ...        code object image | argument block | dispatch packet          (device-visible)
    ...        one region an array argument, with an unmapped gap around it  (device-visible)

Device addresses are invented: arrays 256-byte aligned and far apart, so that running over the end
of one never reaches the next. Arrays that overlap on the host are one region.
"""

import ctypes
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu import records as r

IMAGE_ADDRESS = 0x7000_0000_0000
KERNARG_ADDRESS = 0x7100_0000_0000
PACKET_ADDRESS = 0x7200_0000_0000
QUEUE_ADDRESS = 0x7300_0000_0000
SCRATCH_ADDRESS = 0x5C00_0000_0000
ARRAYS_ADDRESS = 0x1000_0000_0000
STRUCTS_ADDRESS = 0x7400_0000_0000
_GUARD = 1 << 20


@dataclass(frozen=True, slots=True)
class Pointer:
    """A device pointer argument: `offset` bytes into an array."""

    array: NDArray[Any]
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Struct:
    """A struct passed by value: its bytes, and the arrays that its pointer members point to."""

    data: bytes
    pointers: Mapping[int, NDArray[Any] | Pointer]
    """Byte offset of a member -> what it points to."""


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """A pointer argument to a struct in device memory, which the kernel reads: a descriptor."""

    struct: Struct


@dataclass(slots=True)
class Placed:
    """One region of device memory, and the host memory it stands for."""

    name: str
    address: int
    size: int
    at: int
    writable: bool
    host: int | None = None
    """Host address to copy in from and out to."""
    shadow: int = 0
    """Where the race check keeps its records of this region; 0: it is not checked."""


@dataclass(slots=True)
class Layout:
    """Offsets in the memory file, handed out one after the other."""

    end: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)

    def reserve(self, size: int, align: int = 64) -> int:
        at = -(-self.end // align) * align
        self.end = at + size
        return at

    def put(self, data: bytes, align: int = 64) -> int:
        at = self.reserve(len(data), align)
        self.pieces.append((at, data))
        return at

    def region(self, name: str, address: int, data: bytes, *, writable: bool = False) -> None:
        """Device-visible bytes of the emulator's own making."""
        at = self.put(data, 4096)
        self.placed.append(Placed(name, address, len(data), at, writable))


def extent(array: NDArray[Any]) -> tuple[int, int]:
    """Host address and size of an array's memory."""
    if not array.flags.c_contiguous and not array.flags.f_contiguous:
        raise PortError(
            Diagnostic(
                Code.EMULATOR_BAD_LAUNCH,
                "an array argument is not contiguous",
                help="pass numpy.ascontiguousarray(x), or a Pointer into the whole array",
            )
        )
    return int(array.ctypes.data), int(array.nbytes)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The same memory, which a kernel may not write."""
    view = array.view()
    view.flags.writeable = False
    return view


def place_arrays(layout: Layout, arrays: list[tuple[str, NDArray[Any]]]) -> dict[int, int]:
    """Give every array a device address; returns host address -> device address."""
    spans: list[list[Any]] = []
    for name, array in sorted(arrays, key=lambda item: extent(item[1])):
        start, size = extent(array)
        writable = bool(array.flags.writeable)
        if spans and start < spans[-1][0] + spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], start + size - spans[-1][0])
            spans[-1][3] = spans[-1][3] or writable
        elif size:
            spans.append([start, size, name, writable])
    addresses: dict[int, int] = {}
    address = ARRAYS_ADDRESS
    for start, size, name, writable in spans:
        # The host address keeps its low bits, so that alignment is as the caller made it.
        own = address + start % 256
        at = layout.reserve(size + 256, 256) + start % 256
        layout.placed.append(Placed(name, own, size, at, writable, start))
        for _, array in arrays:
            first, length = extent(array)
            if start <= first < start + size or (length == 0 and first == start):
                addresses[first] = own + first - start
        address += -(-(size + 256) // _GUARD) * _GUARD + _GUARD
    for _, array in arrays:
        first, _ = extent(array)
        addresses.setdefault(first, address)  # an empty array: a valid address with no bytes
    return addresses


class MemoryFile:
    """A memory file; the worker maps it, this side only writes and reads it."""

    def __init__(self, layout: Layout) -> None:
        self.size = -(-layout.end // 4096) * 4096 + 4096
        self.descriptor = os.memfd_create("crossport-launch", os.MFD_CLOEXEC)
        try:
            os.ftruncate(self.descriptor, self.size)
            for at, data in layout.pieces:
                self._write(data, at)
            for placed in layout.placed:
                if placed.host is not None:
                    self._write(_host_memory(placed), placed.at)
        except OSError as problem:
            os.close(self.descriptor)
            raise PortError(
                Diagnostic(
                    Code.EMULATOR_BAD_LAUNCH,
                    f"cannot get {self.size >> 20} MiB for a launch: {problem}",
                )
            ) from None

    def _write(self, data: bytes | memoryview, at: int) -> None:
        view = memoryview(data)
        while view:
            done = os.pwrite(self.descriptor, view, at)
            view, at = view[done:], at + done

    def _read_into(self, view: memoryview, at: int) -> None:
        while view:
            done = os.preadv(self.descriptor, [view], at)
            if not done:
                raise OSError("the launch's memory file ends early")
            view, at = view[done:], at + done

    def copy_back(self, layout: Layout) -> None:
        """Write device memory back to the arrays it came from."""
        for placed in layout.placed:
            if placed.host is not None and placed.writable:
                self._read_into(_host_memory(placed), placed.at)

    def read(self, at: int, size: int) -> bytes:
        out = bytearray(size)
        self._read_into(memoryview(out), at)
        return bytes(out)

    def close(self) -> None:
        os.close(self.descriptor)


def _host_memory(placed: Placed) -> memoryview:
    """The caller's memory that a region stands for."""
    assert placed.host is not None
    return memoryview((ctypes.c_uint8 * placed.size).from_address(placed.host)).cast("B")


def dispatch_packet(grid: tuple[int, ...], block: tuple[int, ...], scratch: int, lds: int) -> bytes:
    """hsa_kernel_dispatch_packet_t, which code objects may read for sizes."""
    packet = bytearray(64)
    total = [g * b for g, b in zip(grid, block, strict=True)]
    struct.pack_into("<HHHHHH", packet, 0, 2, 3, *block, 0)
    struct.pack_into("<IIIII", packet, 12, *(min(t, 0xFFFFFFFF) for t in total), scratch, lds)
    struct.pack_into("<Q", packet, 40, KERNARG_ADDRESS)
    return bytes(packet)


def regions_of(layout: Layout) -> bytes:
    """The region table, ascending by address, as the core searches it."""
    order = sorted(layout.placed, key=lambda p: p.address)
    table = (r.Region * len(order))()
    for k, placed in enumerate(order):
        table[k].base, table[k].size, table[k].host = placed.address, placed.size, placed.at
        table[k].writable, table[k].id = int(placed.writable), k
        table[k].shadow = placed.shadow
    return bytes(table)
