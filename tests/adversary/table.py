"""Print the adversary table: PYTHONPATH=tests python -m adversary.table > docs/adversary.md"""

from __future__ import annotations

from adversary.exploits import EXPLOITS
from adversary.gate_exploits import ARRAYS, GATED, HONEST_MODULES, text_of
from adversary.hip_exploits import HIP_EXPLOITS, HONEST_HIP, ORIGINAL
from adversary.judging import judge_exploit, judge_honest
from adversary.lookalikes import LOOKALIKES
from adversary.machine_exploits import MACHINE_EXPLOITS

from crossport.validation.gate.hip import gate_hip
from crossport.validation.gate.module import gate


def main() -> None:
    """Judge everything and print Markdown."""
    print("# The tester against its adversaries\n")
    print("Made by `PYTHONPATH=tests python -m adversary.table`. Row names are those of the")
    print("catalogue of reward hacks: T time, S stale answers, P precision, W work not done,")
    print("M the judging.\n")
    exploits = [(e.row, e.name, *judge_exploit(e)) for e in EXPLOITS + MACHINE_EXPLOITS]
    for gated in GATED:
        found = gate(text_of(gated), gated.target, ARRAYS, symbols=set())
        exploits.append((gated.row, gated.name, bool(found), f"gate: {'; '.join(found)}"))
    for hip in HIP_EXPLOITS:
        found = gate_hip({"k.hip": hip.text}, [ORIGINAL], ["vecadd"])
        exploits.append((hip.row, hip.name, bool(found), f"gate: {'; '.join(found)}"))
    honest = [(like.name, *judge_honest(like)) for like in LOOKALIKES]
    for name, target, text in HONEST_MODULES:
        found = gate(text, target, ARRAYS, symbols=set())
        honest.append((f"{name} ({target})", not found, "; ".join(found) or "the gate lets it in"))
    for name, source in HONEST_HIP:
        found = gate_hip({"k.hip": source}, [ORIGINAL], ["vecadd"])
        honest.append((f"{name} (HIP)", not found, "; ".join(found) or "the gate lets it in"))
    print(
        f"{sum(e[2] for e in exploits)} of {len(exploits)} exploits caught, "
        f"{sum(h[1] for h in honest)} of {len(honest)} honest ports pass.\n"
    )
    print("| row | exploit | caught | by |\n|---|---|---|---|")
    for row, name, caught, how in sorted(exploits, key=lambda e: _order(e[0])):
        print(f"| {row} | {name} | {_yes(caught)} | {_cell(how, 150)} |")
    print("\n| honest port | passes | verdict |\n|---|---|---|")
    for name, passes, how in honest:
        print(f"| {name} | {_yes(passes)} | {_cell(how, 120)} |")


def _order(row: str) -> tuple[str, list[int]]:
    """`T16.2` after `T16`, before `T17`."""
    return str("TSPWM".index(row[0])), [int(n) for n in row[1:].split(".")]


def _yes(good: bool) -> str:
    return "yes" if good else "**NO**"


def _cell(text: str, most: int) -> str:
    return text.replace("|", "/").replace("\n", " ")[:most]


if __name__ == "__main__":
    main()
