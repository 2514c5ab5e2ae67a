"""Where the better tier cannot be reached, a kernel ends in the lower one, and says why."""

from pathlib import Path

import crossport

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def test_an_exchange_too_deep_to_follow_keeps_its_threads() -> None:
    source = CORPUS / "rng_monte_carlo" / "rng_monte_carlo.cu"
    (kernel,) = crossport.port(source, to="triton").kernels
    assert kernel.tier == "simt"
    (note,) = kernel.diagnostics
    assert "nests too deeply" in note.message
