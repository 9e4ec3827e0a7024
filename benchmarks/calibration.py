"""Is the shown chance what it says? Expected calibration error, Brier skill, and a picture.

Over the shown top ten of every need: the part `report` of the reference teams, of whose institutions nothing was
fitted on, and the demonstration corpus. A chance is held against whether the profile is the known answer; another
profile that answers as well counts as wrong, so an honest chance looks too high here, not too low.

    python -m benchmarks.calibration --cache FOLDER --picture docs/images/calibration.svg
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reference import evaluation_data, needs
from corpora.connectors.collection import CollectionNeed, read_needs, read_qrels
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from matcher.evaluation.experiment import open_collection
from matcher.pipeline import Pipeline

SHOWN = 10
BINS = 10
DEMO = Path("corpora/demo")
SIDE, EDGE = 260, 44
"""Pixels of a picture's square, and around it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Chances that were shown and whether each was right, `(n_shown,)` both."""

    name: str
    chance: NDArray[np.float64]
    right: NDArray[np.float64]

    def bins(self) -> list[tuple[float, float, int]]:
        """Mean chance, share that is right and count, in bins of equal count, from the lowest chance."""
        parts = np.array_split(np.argsort(self.chance, kind="stable"), BINS)
        return [
            (float(self.chance[part].mean()), float(self.right[part].mean()), len(part))
            for part in parts
            if len(part)
        ]

    def error(self) -> float:
        """Expected calibration error over these bins (Naeini et al. 2015, there with bins of equal width)."""
        return sum(n * abs(chance - right) for chance, right, n in self.bins()) / len(self.chance)

    def brier_skill(self) -> float:
        """1 - Brier score / that of always telling the share that is right (Brier 1950); above 0 tells something."""
        plain = float(np.mean((self.right.mean() - self.right) ** 2))
        return 1.0 - float(np.mean((self.chance - self.right) ** 2)) / plain


def shown(
    pipeline: Pipeline, name: str, asked: Sequence[CollectionNeed], answers: dict[str, dict[str, int]]
) -> Shown:
    """What the pipeline shows for these needs; ranking only, all kinds together."""
    chances: list[float] = []
    right: list[float] = []
    for need in asked:
        query = pipeline.analyse(need.text, need.language)
        ranking = pipeline.rank(query, pipeline.encode(query), None)
        for profile, chance in zip(ranking.profile_ids[:SHOWN], ranking.chances[:SHOWN], strict=True):
            chances.append(float(chance))
            right.append(float(answers.get(need.id, {}).get(profile, 0) > 0))
    return Shown(name, np.array(chances), np.array(right))


def picture(sets: Sequence[Shown]) -> str:
    """Reliability diagrams side by side, as SVG: a point a bin, on the diagonal where the chance is true."""
    width, height = len(sets) * (SIDE + 2 * EDGE), SIDE + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" fill="#222" role="img">',
        f"<title>Shown chance against the share that is right: {'; '.join(item.name for item in sets)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    for at, item in enumerate(sets):
        left = at * (SIDE + 2 * EDGE) + EDGE
        parts.append(
            f'<rect x="{left}" y="{EDGE}" width="{SIDE}" height="{SIDE}" fill="none" stroke="#999"/>'
            f'<line x1="{left}" y1="{EDGE + SIDE}" x2="{left + SIDE}" y2="{EDGE}" stroke="#999" stroke-dasharray="4"/>'
            f'<text x="{left}" y="{EDGE - 12}">{item.name}</text>'
            f'<text x="{left + SIDE / 2}" y="{EDGE + SIDE + 32}" text-anchor="middle">shown chance</text>'
            f'<text transform="translate({left - 28} {EDGE + SIDE / 2}) rotate(-90)" text-anchor="middle">share right</text>'
        )
        for value in (0.0, 0.5, 1.0):
            parts.append(
                f'<text x="{left + value * SIDE}" y="{EDGE + SIDE + 16}" text-anchor="middle">{value:g}</text>'
                f'<text x="{left - 6}" y="{EDGE + (1 - value) * SIDE + 4}" text-anchor="end">{value:g}</text>'
            )
        for chance, right, _ in item.bins():
            x, y = left + chance * SIDE, EDGE + (1 - right) * SIDE
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#0b5394"/>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Measure, print, draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--part", default="report")
    parser.add_argument("--cache", type=Path, default=Path("data"), help="folder of vectors.sqlite")
    parser.add_argument("--picture", type=Path, help="SVG to write")
    options = parser.parse_args()
    encoder = CachedEncoder(open_encoder(options.encoder), VectorCache(options.cache / "vectors.sqlite"))
    data = evaluation_data()
    chosen = needs(data, options.part.split(","))
    sets: list[Shown] = []
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = Pipeline(open_collection(data / "ref-teams-dev", encoder, Path(scratch)), encoder)
        for language in ("en", "nl"):
            asked = [CollectionNeed(n.id, n.text, n.language) for n in chosen if n.language == language]
            answers = {need.id: {need.team: 1} for need in chosen}
            sets.append(shown(pipeline, f"reference teams, {language}", asked, answers))
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = Pipeline(open_collection(DEMO, encoder, Path(scratch)), encoder)
        demo = list(read_needs(DEMO / "needs.jsonl"))
        sets.append(shown(pipeline, "demonstration corpus", demo, read_qrels(DEMO / "qrels.tsv")))
    print("| set | shown | share right | calibration error | Brier skill |")
    print("|---|---|---|---|---|")
    for item in sets:
        print(
            f"| {item.name} | {len(item.chance):,} | {item.right.mean():.3f} | {item.error():.3f} | {item.brier_skill():.3f} |"
        )
    if options.picture:
        options.picture.write_text(picture(sets), encoding="utf-8")


if __name__ == "__main__":
    main()
