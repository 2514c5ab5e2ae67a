"""What running cannot show is refused by what a port may contain; honest ports are let through."""

from __future__ import annotations

import pytest
from adversary.gate_exploits import ARRAYS, GATED, HONEST_MODULES, HONEST_TRITON, Gated, text_of
from adversary.hip_exploits import HIP_EXPLOITS, HONEST_HIP, ORIGINAL, HipExploit

from crossport.backends.hip.lexer import Tokens
from crossport.validation.gate.hip import gate_hip
from crossport.validation.gate.host import host_variables
from crossport.validation.gate.module import gate, gate_file
from crossport.validation.gate.vocabulary import Target


@pytest.mark.parametrize("exploit", GATED, ids=lambda e: e.row)
def test_a_module_that_is_more_than_a_port_is_refused(exploit: Gated) -> None:
    assert gate(text_of(exploit), exploit.target, ARRAYS, symbols=set())


@pytest.mark.parametrize("exploit", HIP_EXPLOITS, ids=lambda e: e.row)
def test_a_hip_source_that_is_more_than_a_port_is_refused(exploit: HipExploit) -> None:
    assert gate_hip({"k.hip": exploit.text}, [ORIGINAL], ["vecadd"])


@pytest.mark.parametrize(("name", "target", "text"), HONEST_MODULES, ids=lambda v: str(v)[:20])
def test_an_honest_module_passes(name: str, target: Target, text: str) -> None:
    assert gate(text, target, ARRAYS, symbols=set()) == []
    assert gate(text, target) == []


@pytest.mark.parametrize(("name", "text"), HONEST_HIP, ids=lambda v: str(v)[:20])
def test_an_honest_hip_source_passes(name: str, text: bytes) -> None:
    assert gate_hip({"k.hip": text}, [ORIGINAL], ["vecadd"]) == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("k.py", b"# coding: utf-7\n" + HONEST_TRITON.encode()),
        ("k.py", "# -*- coding: latin-1 -*-\nname = 'é'\n".encode("latin-1")),
        ("k.py", b"name = '\xff'\n"),
        ("k.so", b"\x7fELF"),
        ("k.pyc", b"\0"),
    ],
)
def test_a_file_that_python_would_read_in_another_way_is_refused(name: str, data: bytes) -> None:
    assert gate_file(name, data, "triton")


def test_a_plain_file_passes() -> None:
    assert gate_file("k.py", b"\xef\xbb\xbf" + HONEST_TRITON.encode(), "triton", ARRAYS) == []


def test_every_exploit_has_a_row_of_its_own() -> None:
    rows = [e.row for e in GATED] + [e.row for e in HIP_EXPLOITS]
    assert len(set(rows)) == len(rows)


@pytest.mark.parametrize(
    "text", ["def k(:", "\0", "(" * 5000 + ")" * 5000, "x = " + "-" * 9000 + "1"]
)
def test_what_is_no_python_is_a_finding(text: str) -> None:
    assert gate(text, "triton")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("int a;", "a"),
        ("static Probe probe{1};", "probe"),
        ("struct { int n; } state;", "state"),
        ("enum { kOne } mode = kOne;", "mode"),
        ("std::vector<int> rows;", "rows"),
        ("float table[3] = {1, 2, 3};", "table"),
        ("const float k = begin();", "k"),
        ("const float k = 0.5f;", ""),
        ("constexpr int n = 3;", ""),
        ("enum class Mode { kFast = 1 };", ""),
        ("struct Pair { int a; };", ""),
        ("struct Later;", ""),
        ("int helper(int a);", ""),
        ("int helper() { int inside = 1; return inside; }", ""),
        ("typedef struct { int a; } Pair;", ""),
        ("template <typename T> T twice(T x) { return x + x; }", ""),
    ],
)
def test_variables_of_the_host_are_found(text: str, kept: str) -> None:
    found = [name.decode() for _, name in host_variables(Tokens(text.encode()))]
    assert found == ([kept] if kept else [])
