"""Options that several commands share."""

from __future__ import annotations

import click

from crossport.result import TARGETS


def targets(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    unknown = [name for name in names if name not in TARGETS]
    if unknown or not names:
        shown = ", ".join(unknown) or value
        raise click.BadParameter(f"{shown!r} is not one of {', '.join(TARGETS)}")
    return tuple(dict.fromkeys(TARGETS[name] for name in names))


def comma_list(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


sources = click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
arch = click.option(
    "--arch", default="gfx942", callback=comma_list, metavar="ARCH,...", show_default=True,
    help="AMD architectures the port is for.",
)  # fmt: skip
rocm_path = click.option(
    "--rocm-path", metavar="ROOT", help="A ROCm install, or its headers, to compile HIP with."
)
json_flag = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as JSON on stdout."
)
build_dir = click.option(
    "-p", "build_dir", metavar="BUILD_DIR",
    help="Folder with compile_commands.json: the flags of each source.",
)  # fmt: skip
instantiate = click.option(
    "--instantiate", multiple=True, metavar="'k<float,128>'",
    help="A template instance to port beside those that are launched (repeatable).",
)  # fmt: skip
