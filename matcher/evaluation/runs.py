"""TREC runs: written whole, read back, one line a ranked profile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def write_run(path: Path, run: Mapping[str, Sequence[tuple[str, float]]], tag: str) -> None:
    """Write `need_id Q0 profile_id rank score tag` lines, ranks from 1, completely or not at all.

    Raises:
        ValueError: an id or the tag holds white space, which the format cannot carry.
    """
    lines: list[str] = []
    for need, ranking in run.items():
        for rank, (profile, score) in enumerate(ranking, start=1):
            fields = (need, "Q0", profile, str(rank), f"{score:.6f}", tag)
            if any(len(item.split()) != 1 for item in fields):
                raise ValueError(f"expected ids and a tag without white space for a TREC run, found {fields}")
            lines.append(" ".join(fields) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text("".join(lines), encoding="utf-8")
    draft.replace(path)


def read_run(path: Path) -> dict[str, list[str]]:
    """Need id -> profile ids by rank.

    Raises:
        ValueError: a line is not a TREC run line.
    """
    ranked: dict[str, list[tuple[int, str]]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            fields = line.split()
            if len(fields) != 6 or not fields[3].isdigit():
                raise ValueError(
                    f"{path.name}:{number}: expected 'need Q0 profile rank score tag', found {line!r}"
                )
            ranked.setdefault(fields[0], []).append((int(fields[3]), fields[2]))
    return {need: [profile for _, profile in sorted(items)] for need, items in ranked.items()}
