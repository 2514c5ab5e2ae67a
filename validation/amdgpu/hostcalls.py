"""What a kernel prints: the buffer through which it calls the host, and messages from pieces.

    printf("%d: %s", i, "text")  ->  begin | format | i | "text", end     ->  "7: text"

The device library sends a message as words: a control word (1: standard error), the format as bytes
padded to whole words, then a word an argument, strings as the format. native/hostcall.h collects.
"""

import re
import struct
from collections.abc import Sequence

from crossport.validation.amdgpu import records as r

HOSTCALL_ADDRESS = 0x7400_0000_0000
_PACKETS = 1024
_SIGNAL, _HEADERS = 64, 256
_PAYLOADS = _HEADERS + 24 * _PACKETS
_SIZE = _PAYLOADS + 4096 * _PACKETS


def hostcall_buffer() -> bytes:
    """The buffer as the device library expects to find it: every packet free."""
    data = bytearray(_SIZE)
    base = HOSTCALL_ADDRESS
    # A packet's name is its index with a tag above, so that no name is 0.
    last = _PACKETS | (_PACKETS - 1)
    struct.pack_into(
        "<6Q", data, 0, base + _HEADERS, base + _PAYLOADS, base + _SIGNAL, last, 0, _PACKETS - 1
    )
    for index in range(1, _PACKETS):
        below = _PACKETS | (index - 1) if index > 1 else 0
        struct.pack_into("<Q", data, _HEADERS + 24 * index, below)
    return bytes(data)


def messages(pieces: Sequence[r.Printed]) -> str:
    """The text of all messages that were ended, in the order of their ends."""
    begun: dict[int, bytes] = {}
    text: list[str] = []
    for piece in pieces:
        count = int(piece.flags >> 5 & 7)
        words = struct.pack(f"<{count}Q", *list(piece.words)[:count])
        whole = (b"" if piece.flags & 1 else begun.pop(int(piece.message), b"")) + words
        if piece.flags & 2:
            text.append(_rendered(whole))
        else:
            begun[int(piece.message)] = whole
    return "".join(text)


_SPEC = re.compile(
    r"%([-+ #0]*)(\*|\d+)?(\.(?:\*|\d+)?)?(hh|h|ll|l|j|z|t|L)?([diouxXcspfFeEgGaA%])"
)
_BITS = {"hh": 8, "h": 16, "": 32}


class _Words:
    """The words of a message, taken one after the other."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at

    def word(self) -> int:
        self.at += 8
        return int.from_bytes(self.data[self.at - 8 : self.at], "little")

    def text(self) -> str:
        end = self.data.find(b"\0", self.at)
        end = len(self.data) if end < 0 else end
        found = self.data[self.at : end].decode("utf-8", "replace")
        self.at = -(-(end + 1) // 8) * 8
        return found


def _rendered(data: bytes) -> str:
    words = _Words(data, 8)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, length, kind = (part or "" for part in match.groups())
        if kind == "%":
            return "%"
        width = str(_signed(words.word(), 32)) if width == "*" else width
        if precision == ".*":
            precision = f".{words.word() & 0xFFFFFFFF}"
        form = f"%{flags}{width}{precision}"
        if kind == "s":
            return f"{form}s" % words.text()
        value = words.word()
        if kind in "diouxX":
            bits = _BITS.get(length, 64)
            number = _signed(value, bits) if kind in "di" else value & (1 << bits) - 1
            return f"{form}{kind}" % number
        if kind == "c":
            return f"{form}s" % chr(value & 255)
        if kind == "p":
            return f"{form}s" % f"{value:#x}"
        real: float = struct.unpack("<d", value.to_bytes(8, "little"))[0]
        return real.hex() if kind in "aA" else f"{form}{kind}" % real

    return _SPEC.sub(one, words.text())


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value
