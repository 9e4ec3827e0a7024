"""One experiment: a collection indexed in a scratch folder, every need answered, a run written, then measured."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpora.connectors.collection import CollectionNeed, import_collection, read_needs, read_qrels
from corpora.database import open_engine, upgrade
from embeddings.cache import CachedEncoder
from matcher.evaluation.measures import MEASURES, Estimate, Run, estimate, per_need
from matcher.evaluation.runs import write_run
from matcher.evaluation.systems import SYSTEMS
from matcher.generations import Generation
from matcher.indexing import build_index
from matcher.model import NeedError
from matcher.pipeline import Pipeline

Progress = Callable[[str, int, int], None]
"""(stage, done, total)"""


class EvaluationError(Exception):
    """An experiment cannot be run: what was expected, what was found, what to do."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an experiment gave: estimates by language ("all" for all needs) and measure, and how long it took.

    `unanswered` are needs that could not be matched, with the reason; they count as answered by nobody.
    """

    arm: str
    encoder: str
    without: tuple[str, ...]
    estimates: Mapping[str, Mapping[str, Estimate]]
    values: Mapping[str, Mapping[str, float]]
    unanswered: Mapping[str, str]
    n_groups: int
    index_s: float
    answer_s: float


def open_collection(
    collection: Path, encoder: CachedEncoder, scratch: Path, progress: Progress | None = None
) -> Generation:
    """Import a collection into a scratch folder and index it; evidence sentences are left out."""
    engine = open_engine(scratch / "kennismatch.sqlite")
    upgrade(engine)
    report = import_collection(engine, collection)
    if report.added + report.changed + report.unchanged == 0:
        raise EvaluationError(f"expected groups in {collection.name}, found none that can be read")
    build_index(engine, scratch, encoder, progress=progress, sentences=False)
    engine.dispose()
    return Generation.open_current(scratch, expected_fingerprint=encoder.fingerprint)


def answer(
    pipeline: Pipeline,
    needs: Sequence[CollectionNeed],
    arm: str,
    depth: int,
    progress: Progress | None = None,
) -> tuple[dict[str, list[tuple[str, float]]], dict[str, str]]:
    """Rankings by need id, and the needs that could not be matched with the reason."""
    system = SYSTEMS[arm]
    run: dict[str, list[tuple[str, float]]] = {}
    unanswered: dict[str, str] = {}
    for done, need in enumerate(needs, start=1):
        try:
            query = pipeline.analyse(need.text, need.language)
        except NeedError as error:
            unanswered[need.id] = str(error)
            continue
        run[need.id] = system(pipeline, query, pipeline.encode(query), depth)
        if progress:
            progress("answer", done, len(needs))
    return run, unanswered


def measure(
    run: Run, qrels: Mapping[str, Mapping[str, int]], languages: Mapping[str, str]
) -> tuple[dict[str, dict[str, Estimate]], dict[str, dict[str, float]]]:
    """Estimates by language and measure, and the values they rest on by measure and need."""
    values = {name: per_need(run, qrels, name) for name in MEASURES}
    groups: dict[str, list[str]] = defaultdict(list)
    for need in values["nDCG@10"]:
        groups[languages.get(need, "?")].append(need)
        groups["all"].append(need)
    estimates = {
        language: {name: estimate([values[name][need] for need in needs]) for name in MEASURES}
        for language, needs in sorted(groups.items())
    }
    return estimates, values


def evaluate(
    collection: Path,
    encoder: CachedEncoder,
    scratch: Path,
    *,
    arm: str = "pipeline",
    without: Collection[str] = (),
    needs_file: Path | None = None,
    qrels_file: Path | None = None,
    depth: int = 100,
    run_file: Path | None = None,
    progress: Progress | None = None,
) -> Result:
    """Index the groups, answer every need, write the run, and only then read the qrels and measure.

    Raises:
        EvaluationError: the collection holds no groups, or no need has a relevant profile.
        CollectionError: a file is missing or unreadable.
        ValueError: an unknown stage in `without`.
    """
    started = time.perf_counter()
    generation = open_collection(collection, encoder, scratch, progress)
    indexed = time.perf_counter()
    pipeline = Pipeline(generation, encoder, without=without)
    needs = list(read_needs(needs_file or collection / "needs.jsonl"))
    ranked, unanswered = answer(pipeline, needs, arm, depth, progress)
    answered = time.perf_counter()
    path = run_file or scratch / "run.txt"
    write_run(path, ranked, tag=f"kennismatch-{arm}")
    qrels = read_qrels(qrels_file or collection / "qrels.tsv")
    asked = {need.id for need in needs}
    qrels = {need: grades for need, grades in qrels.items() if need in asked}
    run = {need: [profile for profile, _ in ranking] for need, ranking in ranked.items()}
    estimates, values = measure(run, qrels, {need.id: need.language for need in needs})
    if not values["nDCG@10"]:
        raise EvaluationError(
            "expected qrels with a relevant profile for at least one need, found none; check the ids"
        )
    return Result(
        arm=arm,
        encoder=encoder.name,
        without=tuple(without),
        estimates=estimates,
        values=values,
        unanswered=unanswered,
        n_groups=len(generation.profiles),
        index_s=indexed - started,
        answer_s=answered - indexed,
    )
