"""Need in, explained matches out: time per need on the demonstration corpus or on any collection.

    python -m benchmarks.latency                                  # the demonstration corpus, its 80 needs
    python -m benchmarks.latency --collection FOLDER --n 200      # another collection and its needs

One process, one need after the other, as a server answers them; the first five are not counted. Reports p50 and
p95 in ms, and how much of it the encoder takes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from corpora.connectors.collection import import_collection, read_needs
from corpora.database import open_engine, upgrade
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from matcher.generations import Generation
from matcher.indexing import build_index
from matcher.pipeline import Pipeline

DEMONSTRATION = Path(__file__).parents[1] / "corpora" / "demo"
WARM_UP = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collection", type=Path, default=DEMONSTRATION)
    parser.add_argument("--encoder", default=DEFAULT_ENCODER)
    parser.add_argument("--cache", type=Path, default=Path("data"), help="folder of vectors.sqlite")
    parser.add_argument("--n", type=int, default=1000, help="at most so many needs")
    options = parser.parse_args()
    encoder = CachedEncoder(open_encoder(options.encoder), VectorCache(options.cache / "vectors.sqlite"))
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(Path(scratch) / "kennismatch.sqlite")
        upgrade(engine)
        import_collection(engine, options.collection)
        report = build_index(engine, Path(scratch), encoder)
        pipeline = Pipeline(Generation.open_current(Path(scratch)), encoder)
        needs = list(read_needs(options.collection / "needs.jsonl"))[: options.n + WARM_UP]
        whole: list[float] = []
        encoding: list[float] = []
        for number, need in enumerate(needs):
            started = time.perf_counter()
            pipeline.match(need.text)
            ended = time.perf_counter()
            pipeline.encode(pipeline.analyse(need.text))
            if number >= WARM_UP:
                whole.append((ended - started) * 1e3)
                encoding.append((time.perf_counter() - ended) * 1e3)
    print(f"{encoder.name}: {report.profiles} profiles, {report.passages} passages, {len(whole)} needs")
    for label, times in (("need in, matches out", whole), ("of that, encoding", encoding)):
        p50, p95 = np.percentile(times, [50, 95])
        print(f"{label}: p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
