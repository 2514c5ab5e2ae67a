"""How many deliberately broken variants of each corpus kernel a verdict's launches reject.

python benchmarks/mutation.py corpus --most 12 > docs/mutation.md
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crossport.diagnostics import PortError
from crossport.validation.bundle.archive import load_bundle
from crossport.validation.mutation import MOST, mutation_score
from crossport.validation.runners.interp import Subject


def main() -> int:
    """Score every kernel, print Markdown; 1 if the whole is below 95%."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--kernels", default="")
    parser.add_argument("--most", type=int, default=MOST)
    options = parser.parse_args()
    wanted = [k for k in options.kernels.split(",") if k]
    killed = total = same = 0
    rows, skipped = [], []
    for path in sorted(options.corpus.glob("*/h200.bundle")):
        name = path.parent.name
        if wanted and name not in wanted:
            continue
        bundle = load_bundle(path)
        try:
            subject = Subject.of_source(path.with_name(f"{name}.cu"), bundle.cases.kernels)
            scores = {
                k: mutation_score(bundle, subject, k, most=options.most)
                for k in bundle.cases.kernels
            }
        except PortError as error:
            skipped.append(f"- {name}: {error.diagnostic.message}")
            continue
        for kernel, score in scores.items():
            killed, total, same = killed + score.killed, total + score.total, same + score.same
            lives = "; ".join(s.split(": ", 1)[1].split("#")[0] for s in score.survivors)
            rows.append(f"| {kernel} | {score.killed} of {score.total} | {score.same} | {lives} |")
            print(rows[-1], file=sys.stderr, flush=True)
    print("# Mutation score\n")
    print("Made by `python benchmarks/mutation.py corpus --most 12`: each kernel with one")
    print("change that makes it wrong (an index swapped, a store dropped or narrowed, a barrier")
    print(
        "missing, a guard off by one...), judged as a port is: against the recorded launches, and"
    )
    print("against launches of sizes and values that nobody recorded.\n")
    rate = killed / total if total else 0.0
    print(f"{killed} of {total} rejected: {rate:.1%}. {same} more compute the same bits as the")
    print("original on recorded and fresh data, and are no broken ports.\n")
    print("| kernel | rejected | same | live |\n|---|---|---|---|")
    print("\n".join(rows))
    if skipped:
        print("\nNot interpreted, so not mutated:\n\n" + "\n".join(skipped))
    return 0 if rate >= 0.95 else 1


if __name__ == "__main__":
    sys.exit(main())
