"""A bundle on disk: make one, pack it, load it, refuse it when it was touched.

    cases.toml + source   --make-->   k.bundle/            --run.sh on an NVIDIA machine-->
    k.bundle/results/     --pack-->   k.bundle (one file)  --load-->  Bundle

The packed form is a zip archive. SHA256SUMS covers every file, and the manifest's digest covers
SHA256SUMS: a file added, lost or changed is noticed.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.validation.bundle.driver import driver_text, slugs
from crossport.validation.bundle.sources import gather
from crossport.validation.cases import ArrayArg, Case, CaseFile, load_cases, parse_cases
from crossport.validation.dtypes import Array
from crossport.validation.generators import checksum

if TYPE_CHECKING:
    from crossport.validation.runners.interp import Subject

_HERE = Path(__file__).resolve().parent
_MOST_UNPACKED = 1 << 30
_STAMP = (2020, 1, 1, 0, 0, 0)


def make_bundle(cases: Path | str, folder: Path | str) -> CaseFile:
    """Write an unrecorded bundle: what a machine with nvcc needs, and nothing else."""
    loaded = load_cases(cases)
    folder = Path(folder)
    try:
        for name, data in gather(loaded.source).items():
            place = folder / "source" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        shutil.copyfile(loaded.path, folder / "cases.toml")
        (folder / "driver.cu").write_text(driver_text(loaded))
        shutil.copyfile(_HERE / "driver_runtime.h", folder / "driver_runtime.h")
        shutil.copyfile(_HERE / "run.sh", folder / "run.sh")
        (folder / "flags.txt").write_text(" ".join(loaded.flags) + "\n")
        (folder / "manifest.json").write_text(json.dumps(_manifest(loaded), indent=1) + "\n")
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_WRITE, f"cannot write the bundle: {error}")
        ) from None
    return loaded


def pack_bundle(folder: Path | str, target: Path | str) -> None:
    """Pack a recorded bundle into one file; the same contents give the same bytes."""
    folder, target = Path(folder), Path(target)
    sums = _read_sums((folder / "SHA256SUMS").read_bytes(), str(folder))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted([*sums, "SHA256SUMS"]):
            info = zipfile.ZipInfo(name, _STAMP)
            info.compress_type = zipfile.ZIP_LZMA
            archive.writestr(info, (folder / name).read_bytes())
    target.write_bytes(buffer.getvalue())


@dataclass(frozen=True)
class Bundle:
    """A recorded run, verified against its own hashes when it was loaded."""

    name: str
    files: Mapping[str, bytes]
    cases: CaseFile
    slugs: Mapping[str, str]

    @property
    def sources(self) -> dict[str, bytes]:
        """The original by its file names, the source first and its headers after it."""
        prefix = "source/"
        names = [n.removeprefix(prefix) for n in self.files if n.startswith(prefix)]
        main = self.cases.source.name
        names.sort(key=lambda name: (name != main, not name.endswith((".cu", ".cpp")), name))
        return {name: self.files[prefix + name] for name in names}

    @cached_property
    def subject(self) -> Subject:
        """The original, lowered. Raises PortError where the frontend cannot read it."""
        from crossport.validation.runners.interp import Subject

        (name, text), *headers = self.sources.items()
        if not headers:
            return Subject.of_source(name, self.cases.kernels, text=text)
        with tempfile.TemporaryDirectory(prefix="crossport-source-") as folder:
            for path, data in self.sources.items():
                place = Path(folder) / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
            return Subject.of_source(Path(folder) / name, self.cases.kernels)

    """From a case's id to the stem of its files."""

    @property
    def digest(self) -> str:
        """What identifies the evidence: the hash over the hashes of every file."""
        return hashlib.sha256(self.files["SHA256SUMS"]).hexdigest()

    @cached_property
    def device(self) -> Mapping[str, Any]:
        """The machine that ran it."""
        return self._json("results/device.json")

    @property
    def sanitizer(self) -> tuple[str, ...]:
        """What compute-sanitizer said of the original: 'memcheck clean', 'racecheck errors'..."""
        text = self.files.get("results/sanitizer.txt", b"absent").decode("utf-8", "replace")
        return tuple(line for line in text.splitlines() if line)

    def has(self, case: Case) -> bool:
        """Whether the case was recorded."""
        return f"results/{self.slugs.get(case.id)}.json" in self.files

    def record(self, case: Case) -> Mapping[str, Any]:
        """The driver's record of a case: times, noise, checksums, guard bands."""
        return self._json(f"results/{self.slugs[case.id]}.json")

    def output(self, case: Case, array: ArrayArg) -> Array:
        """The contents of an array after the original's launch, flat."""
        data = self._get(f"results/{self.slugs[case.id]}.{array.name}.bin")
        if len(data) != array.bytes:
            self._refuse(f"{array.name} of {case.id} has {len(data)} bytes, not {array.bytes}")
        return np.frombuffer(data, dtype=array.dtype.storage)

    def noise(self, case: Case, array: ArrayArg) -> tuple[Array, Array] | None:
        """Least and greatest value of each element over the repeats; None where none moved."""
        stem = f"results/{self.slugs[case.id]}.{array.name}"
        if f"{stem}.low.bin" not in self.files:
            return None
        low = np.frombuffer(self._get(f"{stem}.low.bin"), dtype=np.float64)
        high = np.frombuffer(self._get(f"{stem}.high.bin"), dtype=np.float64)
        if len(low) != array.count or len(high) != array.count:
            self._refuse(f"the noise of {array.name} in {case.id} has the wrong length")
        return low, high

    def check_inputs(self, case: Case) -> None:
        """Refuse the bundle where its inputs are not the ones that the cases describe."""
        arrays = self.record(case).get("arrays", {})
        for array in case.arrays:
            ours = f"{checksum(case.contents(array).tobytes()):016x}"
            theirs = arrays.get(array.name, {}).get("before")
            if ours != theirs:
                self._refuse(f"{array.name} of {case.id} was recorded on other data")

    def _json(self, name: str) -> Mapping[str, Any]:
        try:
            loaded = json.loads(self._get(name))
        except ValueError:
            self._refuse(f"{name} is not JSON")
        if not isinstance(loaded, dict):
            self._refuse(f"{name} is not a JSON object")
        return loaded

    def _get(self, name: str) -> bytes:
        data = self.files.get(name)
        if data is None:
            self._refuse(f"{name} is missing")
        return data

    def _refuse(self, why: str) -> NoReturn:
        _refuse(self.name, why)


def load_bundle(path: Path | str) -> Bundle:
    """Open a bundle, packed or a folder. Raises PortError when it is broken or was altered."""
    path = Path(path)
    files = _from_folder(path) if path.is_dir() else _from_archive(path)
    if "SHA256SUMS" not in files:
        raise PortError(
            Diagnostic(
                Code.BUNDLE_INVALID,
                f"{path} holds no recorded run",
                help="run `bash run.sh` in it on a machine with an NVIDIA GPU",
            )
        )
    sums = _read_sums(files["SHA256SUMS"], str(path))
    for name in sorted(set(files) - set(sums) - {"SHA256SUMS"}):
        _tampered(path, f"{name} is not among the sealed files")
    for name, expected in sums.items():
        if name not in files:
            _tampered(path, f"{name} is missing")
        if hashlib.sha256(files[name]).hexdigest() != expected:
            _tampered(path, f"{name} was changed after the recording")
    try:
        cases = parse_cases(files["cases.toml"].decode("utf-8"), path / "cases.toml")
        manifest = json.loads(files["manifest.json"])
        source = f"source/{manifest['source']}"
        if source not in files:
            raise KeyError(source)
    except (KeyError, StopIteration, ValueError):
        _refuse(str(path), "cases.toml, manifest.json or the source is missing or broken")
    if manifest.get("source_sha256") != hashlib.sha256(files[source]).hexdigest():
        _tampered(path, "the source is not the one that the bundle was made for")
    names = dict(zip((c.id for c in cases.cases), slugs(cases.cases), strict=True))
    return Bundle(str(path), files, cases, names)


def _manifest(cases: CaseFile) -> dict[str, object]:
    source = cases.source.read_bytes()
    return {
        "schema": 1,
        "source": cases.source.name,
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "cases_sha256": hashlib.sha256(cases.path.read_bytes()).hexdigest(),
        "cases": dict(zip(slugs(cases.cases), (c.id for c in cases.cases), strict=True)),
    }


def _from_folder(path: Path) -> dict[str, bytes]:
    names = {"driver"}  # The compiled program is no evidence.
    files = [p for p in path.rglob("*") if p.is_file() and p.name not in names]
    return {p.relative_to(path).as_posix(): p.read_bytes() for p in files}


def _from_archive(path: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
            if sum(info.file_size for info in infos) > _MOST_UNPACKED:
                _refuse(str(path), "it unpacks to more than 1 GiB")
            for info in infos:
                name = PurePosixPath(info.filename)
                if name.is_absolute() or ".." in name.parts:
                    _refuse(str(path), f"it holds the unsafe name {info.filename!r}")
            if len({info.filename for info in infos}) != len(infos):
                _refuse(str(path), "it holds one name twice")
            return {info.filename: archive.read(info) for info in infos}
    except PortError:
        raise
    except OSError as error:
        raise PortError(
            Diagnostic(Code.CANNOT_READ, f"cannot read the bundle {path}: {error.strerror}")
        ) from None
    except Exception as error:  # zipfile raises its own, zlib's, lzma's and plain ones.
        _refuse(str(path), f"it is no bundle, or was cut short ({error})")


def _read_sums(data: bytes, name: str) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        digest, _, file = line.partition("  ")
        if len(digest) != 64 or not file:
            _refuse(name, "SHA256SUMS is broken")
        sums[file] = digest
    return sums


def _refuse(name: str, why: str) -> NoReturn:
    raise PortError(Diagnostic(Code.BUNDLE_INVALID, f"cannot use the bundle {name}: {why}"))


def _tampered(path: Path, why: str) -> NoReturn:
    raise PortError(
        Diagnostic(
            Code.BUNDLE_TAMPERED,
            f"the bundle {path} is not what was recorded: {why}",
            help="fetch the bundle again, or record it anew with `port record`",
        )
    )
