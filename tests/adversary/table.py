"""Print the adversary table: PYTHONPATH=tests python -m adversary.table > docs/adversary.md"""

from __future__ import annotations

from adversary.exploits import EXPLOITS
from adversary.judging import judge_exploit, judge_honest
from adversary.lookalikes import LOOKALIKES


def main() -> None:
    """Judge everything and print Markdown."""
    print("# The tester against its adversaries\n")
    print("Made by `PYTHONPATH=tests python -m adversary.table`. Row names are those of the")
    print("catalogue of reward hacks: T time, S stale answers, P precision, W work not done,")
    print("M the judging.\n")
    caught = 0
    lines = []
    for exploit in EXPLOITS:
        found, how = judge_exploit(exploit)
        caught += found
        text = how.replace("|", "/").replace("\n", " ")[:150]
        lines.append(
            f"| {exploit.row} | {exploit.name} | {'yes' if found else '**NO**'} | {text} |"
        )
    passed = 0
    benign = []
    for lookalike in LOOKALIKES:
        fine, how = judge_honest(lookalike)
        passed += fine
        benign.append(f"| {lookalike.name} | {'yes' if fine else '**NO**'} | {how[:120]} |")
    print(
        f"{caught} of {len(EXPLOITS)} exploits caught, "
        f"{passed} of {len(LOOKALIKES)} honest ports pass.\n"
    )
    print("| row | exploit | caught | by |\n|---|---|---|---|")
    print("\n".join(lines))
    print("\n| honest port | passes | verdict |\n|---|---|---|")
    print("\n".join(benign))


if __name__ == "__main__":
    main()
