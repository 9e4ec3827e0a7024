"""Learn the bilingual lexicon that lets words cross the language: `matcher/lexicon.tsv.gz`.

IBM Model 1 (Brown et al. 1993) over the words of `matcher.words.analyse`, both directions at once, then with
their posteriors multiplied, so that each direction has to agree with the other (Liang, Taskar & Klein 2006).
Sources lie in the evaluation data; nothing that is kept aside (`benchmarks/splits/`) is read, and of the
teams' needs only those of the train part. What is written holds words and probabilities, no sentence. A few
minutes on one core:

    KENNISMATCH_EVALUATION_DATA=… python -m benchmarks.lexicon
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import lzma
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.reference import SPLIT, evaluation_data, needs
from matcher.lexicon import LEXICON
from matcher.words import analyse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WEIGHTS = {"manuals": 1.0, "field": 3.0, "glossary": 5.0, "variants": 2.0, "needs": 0.3}
"""Weight of a pair of each source. Needs say the same in both languages, but are no translations."""

ROUNDS = 5
ROUNDS_AGREEING = 4
"""Rounds of expectation-maximisation of each direction alone, then of both in agreement."""

MIN_SEEN = 2.0
"""Least weight of pairs in which both words stand: what was seen once in a manual is left out."""

MIN_PROBABILITY = 0.1
MAX_TRANSLATIONS = 4
DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """Words of two texts that say the same, each once, and the weight of the pair."""

    nl: tuple[str, ...]
    en: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Entry:
    """A translation: `probability` of `translation` given `word`; `direction` is "nl-en" or "en-nl"."""

    direction: str
    word: str
    translation: str
    probability: float


def _aside(name: str) -> frozenset[str]:
    lines = (SPLIT.parent / f"aside-{name}.tsv").read_text(encoding="utf-8").splitlines()
    return frozenset([line for line in lines if not line.startswith("#")][1:])


def _rows(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    return csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)


def texts(data: Path) -> Iterator[tuple[str, str, str]]:
    """(source, Dutch, English) of everything that is learned from."""
    with lzma.open(data / "train" / "parallel.tsv.xz", "rt", encoding="utf-8") as file:
        for row in _rows(file):
            yield "manuals", row["nl"], row["en"]
    kept = _aside("translations")
    with (data / "htsm_parallel.tsv").open(encoding="utf-8") as file:
        for number, row in enumerate(_rows(file)):
            if str(number) not in kept:
                yield "field", row["nl"], row["en"]
    with (data / "htsm_glossary.tsv").open(encoding="utf-8") as file:
        for row in _rows(file):
            yield "glossary", row["nl"], row["en"]
            for variant in filter(None, (row["nl_variants"] or "").split(";")):
                yield "variants", variant, row["en"]
    kept = _aside("passages-nl")
    for line in (data / "train" / "needs_arxiv.jsonl").read_text(encoding="utf-8").splitlines():
        need = json.loads(line)
        if need["need_nl"] and need["need_en"] and need["arxiv_id"] not in kept:
            yield "needs", need["need_nl"], need["need_en"]
    said: dict[str, dict[str, str]] = defaultdict(dict)
    for asked in needs(data, ("train",)):
        said[asked.team][asked.language] = asked.text
    for both in said.values():
        yield "needs", both["nl"], both["en"]


def pairs(data: Path) -> list[Pair]:
    """Everything that is learned from, as words."""
    found: list[Pair] = []
    counts: Counter[str] = Counter()
    for source, nl, en in texts(data):
        words = [tuple(sorted(_letters(analyse(text, lang)))) for text, lang in ((nl, "nl"), (en, "en"))]
        if all(words):
            found.append(Pair(words[0], words[1], WEIGHTS[source]))
            counts[source] += 1
    print("pairs: " + ", ".join(f"{count:,} {source}" for source, count in counts.items()), flush=True)
    return found


def _letters(words: Iterable[str]) -> set[str]:
    """Words that can be translated: no numbers, no single letters."""
    return {word for word in words if len(word) > 1 and not any(char.isdigit() for char in word)}


@dataclass(frozen=True, slots=True)
class Cells:
    """Every (Dutch word, English word) of every pair: `n_cells` of them, of `n_links` different ones.

    `link` `(n_cells,)` is the number of the two words together; `nl_of` and `en_of` `(n_links,)` are their
    words. `nl_place` and `en_place` `(n_cells,)` number the word within its pair, over all pairs.
    """

    nl_words: tuple[str, ...]
    en_words: tuple[str, ...]
    link: Ints
    nl_of: Ints
    en_of: Ints
    nl_place: Ints
    en_place: Ints
    weight: Floats


def lay_out(learned: Sequence[Pair]) -> Cells:
    """Number words, places and links; links that are hardly seen are left out."""
    nl_number = {word: at for at, word in enumerate(sorted({word for pair in learned for word in pair.nl}))}
    en_number = {word: at for at, word in enumerate(sorted({word for pair in learned for word in pair.en}))}
    nl, en, nl_place, en_place, weight = [], [], [], [], []
    n_nl = n_en = 0
    for pair in learned:
        a = np.array([nl_number[word] for word in pair.nl], dtype=np.int32)
        b = np.array([en_number[word] for word in pair.en], dtype=np.int32)
        nl.append(np.repeat(a, len(b)))
        en.append(np.tile(b, len(a)))
        nl_place.append(np.repeat(np.arange(n_nl, n_nl + len(a), dtype=np.int32), len(b)))
        en_place.append(np.tile(np.arange(n_en, n_en + len(b), dtype=np.int32), len(a)))
        weight.append(np.full(len(a) * len(b), pair.weight, dtype=np.float32))
        n_nl += len(a)
        n_en += len(b)
    key = np.concatenate(nl).astype(np.int64) * len(en_number) + np.concatenate(en)
    weights = np.concatenate(weight).astype(np.float64)
    links, link = np.unique(key, return_inverse=True)
    seen = np.bincount(link, weights)
    kept = seen >= MIN_SEEN
    renumbered = np.cumsum(kept) - 1
    held = kept[link]
    print(f"{len(key):,} cells, {len(links):,} links, {int(kept.sum()):,} of them kept", flush=True)
    return Cells(
        nl_words=tuple(nl_number),
        en_words=tuple(en_number),
        link=renumbered[link[held]],
        nl_of=links[kept] // len(en_number),
        en_of=links[kept] % len(en_number),
        nl_place=np.concatenate(nl_place)[held].astype(np.int64),
        en_place=np.concatenate(en_place)[held].astype(np.int64),
        weight=weights[held],
    )


def align(cells: Cells, agreement: bool = True) -> tuple[Floats, Floats]:
    """P(English | Dutch) and P(Dutch | English) of every link: two times `(n_links,)`.

    Each direction has a NULL word, which takes what nothing on the other side explains.
    """
    n_links = len(cells.nl_of)
    forward, backward = np.ones(n_links), np.ones(n_links)
    null_en = np.full(len(cells.en_words), 1e-3)
    null_nl = np.full(len(cells.nl_words), 1e-3)
    # A place belongs to one word: NULL's probability of it.
    en_at = np.zeros(cells.en_place.max() + 1, dtype=np.int64)
    en_at[cells.en_place] = cells.en_of[cells.link]
    nl_at = np.zeros(cells.nl_place.max() + 1, dtype=np.int64)
    nl_at[cells.nl_place] = cells.nl_of[cells.link]
    en_weight, nl_weight = np.zeros(len(en_at)), np.zeros(len(nl_at))
    en_weight[cells.en_place] = cells.weight
    nl_weight[cells.nl_place] = cells.weight
    for number in range(ROUNDS + (ROUNDS_AGREEING if agreement else 0)):
        to_en, spare_en = _posterior(forward[cells.link], cells.en_place, null_en[en_at])
        to_nl, spare_nl = _posterior(backward[cells.link], cells.nl_place, null_nl[nl_at])
        if number >= ROUNDS:
            to_en = to_nl = to_en * to_nl
        null_en = _shares(np.bincount(en_at, spare_en * en_weight, len(null_en)))
        null_nl = _shares(np.bincount(nl_at, spare_nl * nl_weight, len(null_nl)))
        counts = np.bincount(cells.link, to_en * cells.weight, n_links)
        forward = counts / np.maximum(np.bincount(cells.nl_of, counts)[cells.nl_of], 1e-12)
        counts = np.bincount(cells.link, to_nl * cells.weight, n_links)
        backward = counts / np.maximum(np.bincount(cells.en_of, counts)[cells.en_of], 1e-12)
    return forward, backward


def _posterior(probability: Floats, place: Ints, null: Floats) -> tuple[Floats, Floats]:
    """Of every place the part that each cell explains, and the part left to NULL."""
    total = np.bincount(place, probability, len(null)) + null
    return probability / total[place], null / total


def _shares(counts: Floats) -> Floats:
    shares: Floats = counts / max(counts.sum(), 1e-12)
    return shares


def prune(cells: Cells, forward: Floats, backward: Floats) -> list[Entry]:
    """The likely translations of both directions, in order of direction, word, and falling probability."""
    # Both directions have to believe in it: what explains a word only for want of a better one is dropped.
    sure = np.sqrt(forward * backward) >= MIN_PROBABILITY
    entries: list[Entry] = []
    for direction, chance, given, other, words, others in (
        ("en-nl", backward, cells.en_of, cells.nl_of, cells.en_words, cells.nl_words),
        ("nl-en", forward, cells.nl_of, cells.en_of, cells.nl_words, cells.en_words),
    ):
        best: dict[str, list[tuple[float, str]]] = defaultdict(list)
        for at in np.flatnonzero(sure & (chance >= MIN_PROBABILITY)):
            word, translation = words[given[at]], others[other[at]]
            best[word].append((-round(float(chance[at]), DECIMALS), translation))
        for word in sorted(best):
            for chance_of, translation in sorted(best[word])[:MAX_TRANSLATIONS]:
                if translation != word:
                    entries.append(Entry(direction, word, translation, -chance_of))
    return entries


def write(entries: Sequence[Entry], path: Path) -> None:
    """Write the lexicon, the same bytes for the same entries."""
    lines = ["direction\tword\ttranslation\tprobability"]
    lines += [f"{e.direction}\t{e.word}\t{e.translation}\t{e.probability:.{DECIMALS}f}" for e in entries]
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb", mtime=0, compresslevel=9) as file:
        file.write(("\n".join(lines) + "\n").encode())
    path.write_bytes(held.getvalue())


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=LEXICON)
    options = parser.parse_args()
    started = time.perf_counter()
    cells = lay_out(pairs(evaluation_data()))
    entries = prune(cells, *align(cells))
    write(entries, options.out)
    size = options.out.stat().st_size
    print(f"{len(entries):,} translations, {size / 1e3:.0f} kB, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
