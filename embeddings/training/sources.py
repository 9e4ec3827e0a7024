"""What the model learns from, without what is kept aside. Texts stay in memory; nothing of them is written."""

from __future__ import annotations

import csv
import json
import lzma
import os
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SPLITS = Path(__file__).parents[2] / "benchmarks" / "splits"
WORDS = 90
"""Words of a passage of a research statement: about 128 tokens."""


@dataclass(frozen=True, slots=True)
class Work:
    """A paper: subject of arXiv, title and abstract."""

    id: str
    category: str
    title: str
    abstract: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A need in both languages and the key (team or paper) of what answers it."""

    key: str
    en: str
    nl: str
    passage_nl: str | None = None


@dataclass(frozen=True, slots=True)
class Translation:
    """An English and a Dutch text that say the same."""

    en: str
    nl: str


def data_folder() -> Path:
    """The folder of the evaluation data.

    Raises:
        SystemExit: KENNISMATCH_EVALUATION_DATA names no folder.
    """
    folder = os.environ.get("KENNISMATCH_EVALUATION_DATA", "")
    if not folder or not Path(folder).is_dir():
        raise SystemExit(
            "KENNISMATCH_EVALUATION_DATA names no folder; set it to the folder of the evaluation data"
        )
    return Path(folder)


def _json_lines(path: Path) -> Iterator[dict[str, str | None]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def listed(name: str) -> list[list[str]]:
    """Rows of a committed split, without its comment lines and its header."""
    lines = (SPLITS / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if not line.startswith("#")][1:]


@cache
def works() -> dict[str, Work]:
    """All papers by arXiv id, in the file's order."""
    with lzma.open(data_folder() / "train" / "arxiv_htsm.tsv.xz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return {row[0]: Work(row[0], row[1], row[2], row[3]) for row in rows}


@cache
def paper_needs() -> list[Asked]:
    """Needs for papers, those kept aside included."""
    found = []
    for row in _json_lines(data_folder() / "train" / "needs_arxiv.jsonl"):
        if row["need_en"] and row["need_nl"] and row["arxiv_id"]:
            found.append(Asked(row["arxiv_id"], row["need_en"], row["need_nl"], row.get("passage_nl")))
    return found


@cache
def team_needs() -> list[Asked]:
    """Needs for reference teams of every part of the split."""
    found = []
    for name in ("needs_dev.jsonl", "train/needs_ref.jsonl"):
        for row in _json_lines(data_folder() / name):
            if row["need_en"] and row["need_nl"] and row["case_id"]:
                found.append(Asked(row["case_id"], row["need_en"], row["need_nl"]))
    return found


def windows(text: str, words: int = WORDS) -> list[str]:
    """Runs of whole sentences of about `words` words; a longer sentence stands alone."""
    found: list[str] = []
    run: list[str] = []
    size = 0
    for sentence in re.split(r"(?<=[.!?;])\s+", text):
        length = len(sentence.split())
        if run and size + length > words:
            found.append(" ".join(run))
            run, size = [], 0
        run.append(sentence)
        size += length
    return [*found, " ".join(run)] if run else found


@cache
def team_passages() -> dict[str, list[str]]:
    """Passages by team: the research statement in windows, then each publication's title."""
    found: dict[str, list[str]] = {}
    for line in (data_folder() / "ref-teams-dev" / "groups.jsonl").read_text(encoding="utf-8").splitlines():
        group = json.loads(line)
        passages: list[str] = []
        for document in group["documents"]:
            if document["text"]:
                passages += windows(document["text"])
            else:
                passages += windows(document["title"])
        found[group["id"]] = passages
    return found


def teams(part: str) -> set[str]:
    """Teams of this part of the committed split: train, tune or report."""
    return {row[0] for row in listed("ref-teams") if row[1] == part}


@cache
def manuals() -> list[Translation]:
    """Parallel sentences of manuals and interfaces."""
    with lzma.open(data_folder() / "train" / "parallel.tsv.xz", "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file][1:]
    return [Translation(row[0], row[1]) for row in rows]


@cache
def field_translations() -> list[Translation]:
    """Parallel texts of the field, by row number; those kept aside included."""
    lines = (data_folder() / "htsm_parallel.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [Translation(*line.split("\t")[:2]) for line in lines]


@cache
def glossary() -> list[Translation]:
    """Terms of the field."""
    lines = (data_folder() / "htsm_glossary.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return [Translation(*line.split("\t")[:2]) for line in lines]


def similar_sentences(language: str) -> list[tuple[str, str, float]]:
    """STSb dev in `en` or `nl`: measured with, never trained on."""
    with (data_folder() / "stsb" / f"stsb-{language}-dev.csv").open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1], float(row[2])) for row in csv.reader(file)]


def draw_aside(seed: int = 20261125) -> None:
    """Draw what is kept aside and write its ids to `benchmarks/splits/`; done once, never again."""
    rng = random.Random(seed)  # noqa: S311 - a draw, not a secret
    described = sorted(need.key for need in paper_needs() if need.passage_nl)
    asked = {row["arxiv_id"] for row in _json_lines(data_folder() / "train" / "needs_arxiv.jsonl")}
    free = sorted(set(works()) - asked)
    draws = {
        "aside-passages-nl": ("arxiv_id", sorted(rng.sample(described, 200))),
        "aside-works": ("arxiv_id", sorted(rng.sample(free, 5_000))),
        "aside-translations": (
            "row",
            [str(i) for i in sorted(rng.sample(range(len(field_translations())), 1_000))],
        ),
    }
    for name, (header, ids) in draws.items():
        head = f"# Kept out of training. Seeded draw ({seed}) by embeddings/training/sources.py; never drawn again.\n"
        (SPLITS / f"{name}.tsv").write_text(head + "\n".join([header, *ids]) + "\n", encoding="utf-8")


def aside(name: str) -> set[str]:
    """Ids kept out of training: of `passages-nl`, `works` or `translations` (row numbers from 0)."""
    return {row[0] for row in listed(f"aside-{name}")}
