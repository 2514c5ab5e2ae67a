"""The functions of libdevice that ports call are there on NVIDIA and on AMD."""

import re

import pytest

from crossport.backends.triton.helpers import HELPERS
from crossport.backends.triton.math import FLOAT, HALF, NAMED, NUMPY

TEXTS = [*FLOAT.values(), *NAMED.values(), *HALF.values(), *HELPERS.values()]
CALLED = sorted({name for text in TEXTS for name in re.findall(r"libdevice\.(\w+)\(", text)})


@pytest.mark.parametrize("name", CALLED)
def test_a_function_of_libdevice_is_everywhere(name: str) -> None:
    cuda = pytest.importorskip("triton.language.extra.cuda.libdevice")
    hip = pytest.importorskip("triton.language.extra.hip.libdevice")
    assert hasattr(cuda, name) and hasattr(hip, name)
    assert name in NUMPY
