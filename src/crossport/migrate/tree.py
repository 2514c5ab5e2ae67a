"""A folder of programs -> a folder of HIP programs, in parallel.

    port_tree_to_hip(Path("src"), Options(jobs=2))   ->   PortResult with paths relative to src

Programs are ported apart from each other, each with the flags of its own build. A header that two
programs share must come out the same from both; where it does not (one program's parse knew more),
those programs are ported once more, together. CUDA files that no build names are ported too.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from crossport.diagnostics import Code, Diagnostic, PortError
from crossport.migrate.units import SKIPPED, Program, find_programs
from crossport.porting import Options, port_file, port_program
from crossport.result import PortResult, merge

Sources = tuple[tuple[Path, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """What is ported together: sources with kernels and their flags, and host sources beside."""

    sources: Sources
    host: tuple[Path, ...] = ()


def port_tree_to_hip(root: Path, options: Options) -> PortResult:
    """Port every CUDA program below `root`. Raises PortError (CP1004) if there is none."""
    root = root.resolve()
    build_dir = Path(options.build_dir) if options.build_dir else None
    programs = find_programs(root, build_dir)
    groups = list(dict.fromkeys(group for p in programs if (group := _group(p)).sources))
    results = dict(zip(groups, _port_all(groups, root, options), strict=True))
    reached = {output.source for result in results.values() for output in result.outputs}
    rest = _not_built(root, reached)
    results |= dict(zip(rest, _port_all(rest, root, options), strict=True))
    if not results:
        raise PortError(
            Diagnostic(
                Code.NOT_CUDA,
                f"there is no CUDA source below {root}",
                help="CUDA sources end in .cu, or are named in the compilation database",
            )
        )
    for together in _disagreeing(results):
        joint = Group(
            tuple(dict.fromkeys(source for group in together for source in group.sources)),
            tuple(dict.fromkeys(source for group in together for source in group.host)),
        )
        for group in together:
            del results[group]
        results[joint] = _port_group(joint, root, options)
    return merge(results.values())


def port_tree_to_modules(root: Path, targets: Sequence[str], options: Options) -> PortResult:
    """Port every CUDA source below `root` to Triton or Pallas modules, paths relative to `root`.

    A source that cannot be parsed is left out; the finding says so.
    """
    root = root.resolve()
    build_dir = Path(options.build_dir) if options.build_dir else None
    programs = find_programs(root, build_dir)
    sources = dict.fromkeys(source for program in programs for source in _sources(program))
    rest = _not_built(root, {source for source, _ in sources})
    sources |= dict.fromkeys(source for group in rest for source in group.sources)
    results: list[PortResult] = []
    for source, flags in sources:
        folder = Path(os.path.relpath(source.parent, root))
        try:
            ported = port_file(source, targets, replace(options, flags=(*flags, *options.flags)))
        except PortError as error:
            results.append(PortResult(diagnostics=error.diagnostics))
            continue
        outputs = tuple(replace(o, path=folder / o.path) for o in ported.outputs)
        results.append(replace(ported, outputs=outputs))
    return merge(results)


def _sources(program: Program) -> Sources:
    return tuple(
        (unit.source, (*unit.flags, *(f"-I{folder}" for folder in unit.folders)))
        for unit in program.units
        if unit.kind == "gpu" or unit.source.suffix == ".cu"
    )


def _group(program: Program) -> Group:
    """Host sources come along whole: beside a ported header, they must include that one."""
    sources = _sources(program)
    taken = {source for source, _ in sources}
    host = tuple(
        unit.source
        for unit in program.units
        if unit.source not in taken and unit.source.is_relative_to(program.folder)
    )
    return Group(sources, tuple(dict.fromkeys(host)))


def _not_built(root: Path, reached: set[Path | None]) -> list[Group]:
    """CUDA files that no build names and no source includes, a group for each folder."""
    by_folder: dict[Path, list[Path]] = defaultdict(list)
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED)
        for path in (Path(folder, name) for name in sorted(names)):
            if path.suffix in (".cu", ".cuh") and path not in reached:
                by_folder[path.parent].append(path)
    return [
        Group(
            tuple((path, ()) for path in paths if path.suffix == ".cu"),
            tuple(path for path in paths if path.suffix == ".cuh"),
        )
        for paths in by_folder.values()
    ]


def _port_group(group: Group, root: Path, options: Options) -> PortResult:
    return port_program(group.sources, root, options, group.host)


def _port_all(groups: Sequence[Group], root: Path, options: Options) -> Iterable[PortResult]:
    jobs = options.jobs or os.cpu_count() or 1
    if jobs == 1 or len(groups) == 1:
        return [_port_group(group, root, options) for group in groups]
    with ProcessPoolExecutor(jobs) as pool:
        count = len(groups)
        return list(pool.map(_port_group, groups, [root] * count, [options] * count, chunksize=8))


def _disagreeing(results: dict[Group, PortResult]) -> list[list[Group]]:
    """Groups of programs whose ports of a shared file differ."""
    versions: dict[Path, dict[bytes, None]] = defaultdict(dict)
    owners: dict[Path, list[Group]] = defaultdict(list)
    for group, result in results.items():
        for output in result.outputs:
            versions[output.path][output.data] = None
            owners[output.path].append(group)
    leader = {group: group for group in results}

    def find(group: Group) -> Group:
        while leader[group] is not group:
            group = leader[group]
        return group

    for path, texts in versions.items():
        if len(texts) > 1:
            first, *others = owners[path]
            for other in others:
                leader[find(other)] = find(first)
    joint: dict[Group, list[Group]] = defaultdict(list)
    for group in results:
        joint[find(group)].append(group)
    return [members for members in joint.values() if len(members) > 1]
