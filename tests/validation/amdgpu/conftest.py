"""One emulated device for each architecture and test session."""

from collections.abc import Callable, Iterator

import pytest

from crossport.validation.amdgpu.device import Device


@pytest.fixture(scope="session")
def devices() -> Iterator[Callable[[str], Device]]:
    """A function from architecture name to its device."""
    made: dict[str, Device] = {}

    def device(arch: str = "gfx942") -> Device:
        if arch not in made:
            made[arch] = Device(arch)
        return made[arch]

    yield device
    for item in made.values():
        item.close()
