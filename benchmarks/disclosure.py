"""How much of what gives a company away the check finds, and how often it raises a false alarm.

    python -m benchmarks.disclosure [--misses] [FILE.jsonl ...]

A mark counts as found if a finding overlaps at least half of it, of whichever kind; a finding that overlaps no mark
is a false alarm. Needs are those of `tests/matcher/disclosure/` unless files are named.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matcher.disclosure import KINDS, Commonness, findings

FOLDER = Path(__file__).parents[1] / "tests/matcher/disclosure"


@dataclass(slots=True)
class Figures:
    """Counts over the needs of one file and language."""

    n_needs: int = 0
    marks: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    same_kind: Counter[str] = field(default_factory=Counter)
    alarms: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """The share of marks that were found."""
        return self.found.total() / self.marks.total() if self.marks else 1.0

    @property
    def alarms_a_need(self) -> float:
        """False alarms a need."""
        return self.alarms.total() / self.n_needs


def measure(path: Path, commonness: Commonness) -> dict[str, Figures]:
    """Figures by language of the marked needs in a file."""
    figures: dict[str, Figures] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        need = json.loads(line)
        of = figures.setdefault(need["language"], Figures())
        of.n_needs += 1
        text, false = need["text"], set(findings(need["text"], need["language"], commonness))
        for mark in need["marks"]:
            start, end, kind = mark["start"], mark["end"], mark["kind"]
            over = {
                f: min(end, f.end) - max(start, f.start) for f in findings(text, need["language"], commonness)
            }
            over = {finding: chars for finding, chars in over.items() if chars > 0}
            false -= over.keys()
            of.marks[kind] += 1
            if any(2 * chars >= end - start for chars in over.values()):
                of.found[kind] += 1
                of.same_kind[kind] += max(over, key=lambda f: over[f]).kind == kind
            else:
                of.missed.append(f"{need['id']} missed {kind}: {text[start:end]}")
        of.alarms.update(finding.kind for finding in false)
        of.missed += [
            f"{need['id']} false {f.kind}: {text[f.start : f.end]}"
            for f in sorted(false, key=lambda f: f.start)
        ]
    return figures


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table for every file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--misses", action="store_true", help="print every missed mark and every false alarm")
    options = parser.parse_args(arguments)
    for path in options.files or sorted(FOLDER.glob("*.jsonl")):
        print(f"{path.name}\nlanguage  kind      marks  recall  right kind  false alarms a need")
        for language, of in sorted(measure(path, Commonness()).items()):
            for kind in KINDS:
                n_found = of.found[kind]
                recall = f"{n_found / of.marks[kind]:.2f}" if of.marks[kind] else "-"
                right = f"{of.same_kind[kind] / n_found:.2f}" if n_found else "-"
                print(
                    f"{language:9} {kind:9} {of.marks[kind]:5}  {recall:>6}  {right:>10}  {of.alarms[kind] / of.n_needs:.2f}"
                )
            print(
                f"{language:9} {'all':9} {of.marks.total():5}  {of.recall:6.2f}  {of.same_kind.total() / max(1, of.found.total()):10.2f}  {of.alarms_a_need:.2f}"
            )
            if options.misses:
                print(*of.missed, sep="\n")


if __name__ == "__main__":
    main()
