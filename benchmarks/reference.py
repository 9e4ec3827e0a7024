"""The reference teams with all their needs, and the committed split of them by institution.

The data itself is found through KENNISMATCH_EVALUATION_DATA; the split lies beside this file (ids only).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

SPLIT = Path(__file__).with_name("splits") / "ref-teams.tsv"
PARTS = ("report", "tune", "train")


@dataclass(frozen=True, slots=True)
class ReferenceNeed:
    """A need with the team that answers it, and the part of the split that it belongs to."""

    id: str
    text: str
    language: str
    team: str
    part: str


def evaluation_data() -> Path:
    """The folder of the evaluation data.

    Raises:
        SystemExit: KENNISMATCH_EVALUATION_DATA names no folder.
    """
    folder = Path(os.environ.get("KENNISMATCH_EVALUATION_DATA", ""))
    if not os.environ.get("KENNISMATCH_EVALUATION_DATA") or not folder.is_dir():
        raise SystemExit(
            "KENNISMATCH_EVALUATION_DATA names no folder; set it to the folder of the evaluation data"
        )
    return folder


def split() -> dict[str, str]:
    """Team id -> part."""
    lines = [line for line in SPLIT.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return dict(line.split("\t") for line in lines[1:])


def needs(data: Path, parts: Collection[str] = PARTS) -> list[ReferenceNeed]:
    """All needs of the teams of these parts, in both languages, by id."""
    part_of = split()
    found: list[ReferenceNeed] = []
    for file in (data / "needs_dev.jsonl", data / "train" / "needs_ref.jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            team = row["case_id"]
            for language in ("en", "nl"):
                if row[f"need_{language}"] and part_of[team] in parts:
                    found.append(
                        ReferenceNeed(
                            f"{team}-{language}", row[f"need_{language}"], language, team, part_of[team]
                        )
                    )
    return sorted(found, key=lambda need: need.id)


def write_needs(chosen: Collection[ReferenceNeed], folder: Path) -> tuple[Path, Path]:
    """Write `needs.jsonl` and `qrels.tsv` of these needs, for `kennismatch evaluate --needs --qrels`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"id": need.id, "text": need.text, "language": need.language}) for need in chosen]
    (folder / "needs.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    judged = [f"{need.id}\t0\t{need.team}\t1" for need in chosen]
    (folder / "qrels.tsv").write_text("\n".join(judged) + "\n", encoding="utf-8")
    return folder / "needs.jsonl", folder / "qrels.tsv"
