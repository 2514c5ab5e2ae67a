"""Read an AMDGPU code object: an ELF file with kernels, their descriptors and their metadata.

Example:

    CodeObject.load("saxpy.hsaco").kernels["saxpy"].arguments
    ->  (Argument("x", offset=0, size=8, kind="global_buffer"), ...)

The layout is described in LLVM's AMDGPU usage page, "Code Object" and "Kernel Descriptor".
"""

import io
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.amdgpu.arch import ARCHS, Arch

_EM_AMDGPU = 224
_BUNDLE_MAGIC = b"__CLANG_OFFLOAD_BUNDLE__"


@dataclass(frozen=True, slots=True)
class Argument:
    """One entry of a kernel's argument block, hidden ones included."""

    name: str
    offset: int
    size: int
    kind: str

    @property
    def is_hidden(self) -> bool:
        return self.kind.startswith("hidden")


@dataclass(frozen=True, slots=True)
class Kernel:
    """One kernel: where its code is and what its descriptor asks for."""

    name: str
    entry: int
    size: int
    lds_bytes: int
    scratch_bytes: int
    kernarg_bytes: int
    rsrc1: int
    rsrc2: int
    rsrc3: int
    properties: int
    preload: int
    arguments: tuple[Argument, ...]
    metadata: dict[str, Any] = field(repr=False)

    @property
    def wave_size(self) -> int:
        return 32 if self.properties >> 10 & 1 else 64

    @property
    def mode(self) -> int:
        """Initial MODE register: float rounding, denormals, DX10 clamp, IEEE."""
        clamp, ieee = self.rsrc1 >> 21 & 1, self.rsrc1 >> 23 & 1
        return (self.rsrc1 >> 12 & 0xFF) | clamp << 8 | ieee << 9

    @property
    def max_block(self) -> int:
        return int(self.metadata.get(".max_flat_workgroup_size", 1024))

    @property
    def visible_arguments(self) -> tuple[Argument, ...]:
        return tuple(a for a in self.arguments if not a.is_hidden)


@dataclass(frozen=True, slots=True)
class Symbol:
    """A function or variable of the code object, by device offset."""

    name: str
    offset: int
    size: int
    is_function: bool


@dataclass(frozen=True, slots=True)
class CodeObject:
    """A loaded code object: its memory image and its kernels."""

    arch: Arch
    image: bytes = field(repr=False)
    text: tuple[int, int]
    """Offset and size of the code in the image."""
    kernels: dict[str, Kernel]
    symbols: dict[str, Symbol]
    writable: tuple[int, int]
    """Offset range of data that code may write."""
    relocations: tuple[tuple[int, int], ...] = field(repr=False)
    """(offset, value): 64-bit words that hold the address of `value` once the image has a place."""
    lines: tuple[tuple[int, str, int], ...] = field(repr=False)
    """(address, file, line), ascending, where the code object carries line tables."""

    @staticmethod
    def load(source: bytes | str | Path, arch: str | None = None) -> "CodeObject":
        """Read a code object from bytes or a file; `arch` is what it must have been built for."""
        data = source if isinstance(source, bytes) else _read(Path(source))
        if data.startswith(_BUNDLE_MAGIC):
            data = _unbundle(data, arch)
        try:
            return _parse(data, arch)
        except PortError:
            raise
        except Exception as problem:
            raise _broken(f"{type(problem).__name__}: {problem}") from problem

    def kernel(self, name: str) -> Kernel:
        """A kernel by name; raises a diagnostic that lists what is there."""
        if name in self.kernels:
            return self.kernels[name]
        known = ", ".join(sorted(self.kernels)) or "none"
        raise PortError(
            Diagnostic(
                Code.KERNEL_NOT_FOUND,
                f"the code object has no kernel {name}",
                help=f"it has: {known}",
            )
        )

    def line_of(self, pc: int) -> tuple[str, int] | None:
        """Source file and line of an offset in the text, where known."""
        best = None
        for address, file, line in self.lines:
            if address > self.text[0] + pc:
                break
            best = (file, line)
        return best

    def function_at(self, pc: int) -> str:
        """Name of the function that an offset in the text belongs to."""
        at = self.text[0] + pc
        for symbol in self.symbols.values():
            if symbol.is_function and symbol.offset <= at < symbol.offset + symbol.size:
                return symbol.name
        return "?"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise PortError(
            Diagnostic(Code.CANNOT_READ, f"cannot read {path}: {problem.strerror}")
        ) from None


def _broken(why: str) -> PortError:
    return PortError(
        Diagnostic(
            Code.BAD_CODE_OBJECT,
            f"this is no AMD GPU code object that can be loaded ({why})",
            help="build it with --offload-device-only --no-gpu-bundle-output for one GPU",
        )
    )


def _unbundle(data: bytes, arch: str | None) -> bytes:
    """Take one GPU's code object out of clang's offload bundle."""
    at = len(_BUNDLE_MAGIC)
    (count,) = struct.unpack_from("<Q", data, at)
    at += 8
    found: dict[str, bytes] = {}
    for _ in range(min(count, 64)):
        offset, size, length = struct.unpack_from("<QQQ", data, at)
        triple = data[at + 24 : at + 24 + length].decode("ascii", "replace")
        at += 24 + length
        if size:
            found[triple.rpartition("--")[2].split(":")[0]] = data[offset : offset + size]
    if arch is None and len(found) == 1:
        return next(iter(found.values()))
    if arch in found:
        return found[arch]
    raise _broken(f"a bundle for {', '.join(sorted(found)) or 'no GPU'}")


def _parse(data: bytes, wanted: str | None) -> CodeObject:
    from elftools.elf.elffile import ELFFile

    elf = ELFFile(io.BytesIO(data))
    if elf["e_machine"] not in ("EM_AMDGPU", _EM_AMDGPU):
        raise _broken("the ELF file is for another machine")
    machine = elf["e_flags"] & 0xFF
    arch = next((a for a in ARCHS.values() if a.elf_machine == machine), None)
    if arch is None or (wanted is not None and arch.name != wanted):
        name = arch.name if arch else f"machine {machine:#x}"
        raise PortError(
            Diagnostic(
                Code.WRONG_ARCH,
                f"the code object is for {name}" + (f", not {wanted}" if wanted else ""),
                help=f"the emulator runs {', '.join(ARCHS)}",
            )
        )
    segments = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
    end = max(s["p_vaddr"] + s["p_memsz"] for s in segments)
    if end > 1 << 30:
        raise _broken("it claims more than 1 GiB of memory")
    image = bytearray(end)
    writable, text = [end, 0], (0, 0)
    for segment in segments:
        start = segment["p_vaddr"]
        image[start : start + segment["p_filesz"]] = segment.data()
        if segment["p_flags"] & 2:
            writable = [min(writable[0], start), max(writable[1], start + segment["p_memsz"])]
    section = elf.get_section_by_name(".text")
    if section is not None:
        text = (section["sh_addr"], section["sh_size"])
    symbols, elf_symbols = _symbols(elf)
    kernels = {}
    for entry in _metadata(elf).get("amdhsa.kernels", ()):
        kernel = _kernel(entry, elf_symbols, symbols, image)
        kernels[kernel.name] = kernel
    span = (writable[0], writable[1]) if writable[1] else (0, 0)
    relocations = _relocations(elf, end)
    return CodeObject(
        arch, bytes(image), text, kernels, symbols, span, relocations, _line_table(elf)
    )


_ABS64, _RELATIVE64 = 3, 13


def _relocations(elf: Any, end: int) -> tuple[tuple[int, int], ...]:
    """Words that the loader fills with addresses: tables of functions, pointers to variables."""
    found: list[tuple[int, int]] = []
    for section in elf.iter_sections():
        if section["sh_type"] != "SHT_RELA" or not section["sh_flags"] & 2:  # SHF_ALLOC
            continue
        names = elf.get_section(section["sh_link"])
        for entry in section.iter_relocations():
            offset, value, kind = entry["r_offset"], entry["r_addend"], entry["r_info_type"]
            if kind == _ABS64:
                symbol = names.get_symbol(entry["r_info_sym"])
                if symbol["st_shndx"] == "SHN_UNDEF":
                    raise _broken(f"it needs {symbol.name}, which is not in it")
                value += symbol["st_value"]
            elif kind != _RELATIVE64:
                raise _broken(f"a relocation of kind {kind}")
            if offset + 8 > end:
                raise _broken("a relocation outside its memory")
            found.append((offset, value))
    return tuple(found)


def _symbols(elf: Any) -> tuple[dict[str, Symbol], dict[str, int]]:
    symbols: dict[str, Symbol] = {}
    addresses: dict[str, int] = {}
    for section in elf.iter_sections():
        if section["sh_type"] not in ("SHT_DYNSYM", "SHT_SYMTAB"):
            continue
        for symbol in section.iter_symbols():
            kind = symbol["st_info"]["type"]
            addresses[symbol.name] = symbol["st_value"]
            if kind in ("STT_FUNC", "STT_OBJECT", "STT_AMDGPU_HSA_KERNEL"):
                is_function = kind != "STT_OBJECT"
                symbols[symbol.name] = Symbol(
                    symbol.name, symbol["st_value"], symbol["st_size"], is_function
                )
    return symbols, addresses


def _metadata(elf: Any) -> dict[str, Any]:
    import msgpack

    for section in elf.iter_sections():
        if section["sh_type"] != "SHT_NOTE":
            continue
        for note in section.iter_notes():
            if str(note["n_name"]).rstrip("\0") != "AMDGPU":
                continue
            raw = note["n_descdata"] if "n_descdata" in note else note["n_desc"]
            raw = raw if isinstance(raw, bytes) else raw.encode("latin1")
            loaded: dict[str, Any] = msgpack.unpackb(raw, strict_map_key=False)
            return loaded
    return {}


def _kernel(
    entry: dict[str, Any], addresses: dict[str, int], symbols: dict[str, Symbol], image: bytearray
) -> Kernel:
    name = entry[".name"]
    at = addresses[entry[".symbol"]]
    descriptor = bytes(image[at : at + 64])
    lds, scratch, kernarg, _, offset = struct.unpack_from("<IIIIq", descriptor)
    rsrc3, rsrc1, rsrc2, properties, preload = struct.unpack_from("<IIIHH", descriptor, 44)
    arguments = tuple(
        Argument(a.get(".name", ""), a[".offset"], a[".size"], a[".value_kind"])
        for a in entry.get(".args", ())
    )
    size = symbols[name].size if name in symbols else 0
    kernarg = max(kernarg, int(entry.get(".kernarg_segment_size", 0)))
    return Kernel(
        *(name, at + offset, size, lds, scratch, kernarg, rsrc1, rsrc2, rsrc3),
        *(properties, preload, arguments, entry),
    )


def _line_table(elf: Any) -> tuple[tuple[int, str, int], ...]:
    """Line rows of the code object's DWARF; empty when it has none that can be read."""
    if not elf.has_dwarf_info():
        return ()
    rows: list[tuple[int, str, int]] = []
    try:
        dwarf = elf.get_dwarf_info()
        for unit in dwarf.iter_CUs():
            program = dwarf.line_program_for_CU(unit)
            if program is None:
                continue
            files = program["file_entry"]
            base = 0 if program["version"] >= 5 else 1
            for item in program.get_entries():
                state = item.state
                if state is None or state.end_sequence:
                    continue
                index = state.file - base
                known = 0 <= index < len(files)
                name = files[index].name.decode("utf-8", "replace") if known else "?"
                rows.append((state.address, name, state.line))
    except Exception:  # a line table is a convenience: a broken one only costs the line numbers
        return ()
    return tuple(sorted(rows))
