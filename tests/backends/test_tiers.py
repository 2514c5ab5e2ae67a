"""Where the better tier cannot be reached, a kernel ends in the lower one, and says why."""

from pathlib import Path

import pytest

import crossport
from crossport.backends.triton import port as triton_port

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def test_an_exchange_too_deep_to_follow_keeps_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: object) -> None:
        raise RecursionError

    # How deep is too deep depends on the process: the stack is made to end here.
    monkeypatch.setattr(triton_port, "_port_tile", too_deep)
    source = CORPUS / "reduce_shared_tree" / "reduce_shared_tree.cu"
    (kernel,) = crossport.port(source, to="triton").kernels
    assert kernel.tier == "simt"
    (note,) = kernel.diagnostics
    assert "nests too deeply" in note.message
