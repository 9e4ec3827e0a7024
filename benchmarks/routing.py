"""Learn which kind of help a need asks for; writes `matcher/routing.tsv` and `matcher/routing-vectors.json`.

Learned from needs that were written for this (`benchmarks/data/routing-train.jsonl`), and from research needs of the
evaluation data as a background, so that words of a topic ("cost", "sample") are not taken for a wish. How much words
and vectors count is chosen in cross-validation and on `routing-tune.jsonl`, written after the phrases were. The needs that the tests ask were
written by somebody else and play no part here:

    python -m benchmarks.routing
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from benchmarks.reference import evaluation_data
from benchmarks.reference import needs as reference_needs
from corpora.model import ProfileKind
from embeddings.encoders import Encoder, open_encoder
from matcher.routing import INTERCEPT, KINDS, features

DATA = Path(__file__).with_name("data")
TRAIN, TUNE = DATA / "routing-train.jsonl", DATA / "routing-tune.jsonl"
WEIGHTS = Path("matcher/routing.tsv")
VECTOR_WEIGHTS = Path("matcher/routing-vectors.json")
KIND_OF = {
    "research": ProfileKind.RESEARCH_GROUP,
    "student": ProfileKind.PROGRAMME,
    "facility": ProfileKind.FACILITY,
    "money": ProfileKind.INSTRUMENT,
    "startup": ProfileKind.SUPPORT,
}
MIN_NEEDS = 2
"""A word of one need alone says nothing of others."""

STRENGTH, VECTOR_STRENGTH = 4.0, 5.0
"""Inverse regularisation. Of 5, 20, 60 and 200 for vectors the lowest surprises least, in cross-validation and on tune
(.41/.42 nats against .42/.45 at 20, .57/.69 at 200); 1 in place of 4 for words made no difference."""

BACKGROUND_WEIGHT = 80.0
"""The background of research needs counts as this many needs altogether, about two fifths of the research needs written
for this; 30 and 160 differ by .01 nats."""

NOTHING_WEIGHT = 40.0
"""An empty need counts as this many for research, so that it is the default where nothing speaks for another: at 10 it
was not."""

N_PAPER_NEEDS = 150
WORD_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
VECTOR_SHARES = (0.5, 0.75, 1.0, 1.5)
FOLDS = 10
ALIKE = 0.72
"""Needs with so near vectors stay in one fold: most pairs that say the same in two languages are nearer."""

RESEARCH = KINDS.index(ProfileKind.RESEARCH_GROUP)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Routed:
    """A need and the kinds of help that would all be right."""

    id: str
    language: str
    text: str
    kinds: tuple[ProfileKind, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Needs as the models see them: values by feature name, and vectors `(n, dim)`."""

    values: list[dict[str, float]]
    vectors: NDArray[np.float32]

    def part(self, rows: NDArray[np.int64] | list[int]) -> Seen:
        """Some of them."""
        return Seen([self.values[at] for at in rows], self.vectors[rows])


@dataclass(frozen=True, slots=True)
class Models:
    """Weights by feature name and their intercept; weights over vectors, `(dim, len(KINDS))`, and theirs."""

    words: dict[str, Floats]
    intercept: Floats
    vectors: Floats
    vector_intercept: Floats

    def logits(self, seen: Seen) -> tuple[Floats, Floats]:
        """By words and by vectors, each `(n, len(KINDS))`."""
        by_words = [
            self.intercept
            + sum(
                (self.words[name] * value for name, value in each.items() if name in self.words),
                np.zeros(len(KINDS)),
            )
            for each in seen.values
        ]
        return np.array(by_words), seen.vectors @ self.vectors + self.vector_intercept


def read(file: Path) -> list[Routed]:
    """The needs of a JSON Lines file of `{"id", "language", "text", "routes"}`."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Routed(row["id"], row["language"], row["text"], tuple(KIND_OF[name] for name in row["routes"]))
        for row in rows
    ]


def research_needs(data: Path) -> list[tuple[str, str]]:
    """`(text, language)` of needs that research answers: of the train part of the reference teams, and for papers."""
    found = [(need.text, need.language) for need in reference_needs(data, ["train"])]
    lines = (data / "train" / "needs_arxiv.jsonl").read_text(encoding="utf-8").splitlines()
    for line in lines[:: len(lines) // N_PAPER_NEEDS]:
        row = json.loads(line)
        found += [(row[f"need_{each}"], each) for each in ("en", "nl") if row[f"need_{each}"]]
    return found


def see(texts: list[tuple[str, str]], encoder: Encoder) -> Seen:
    """`(text, language)` as the models see it."""
    return Seen(
        [dict(features(text, language).values) for text, language in texts],
        np.vstack(
            [
                encoder.encode_queries([text for text, _ in texts[at : at + 32]])
                for at in range(0, len(texts), 32)
            ]
        ),
    )


def learn(seen: Seen, kinds: list[tuple[ProfileKind, ...]], background: Seen) -> Models:
    """Fit on needs; one with several right kinds counts for each of them in part."""
    rows = [at for at, right in enumerate(kinds) for _ in right]
    labels = [KINDS.index(kind) for right in kinds for kind in right]
    weights = [1.0 / len(right) for right in kinds for _ in right]
    labels += [RESEARCH] * len(background.values)
    weights += [BACKGROUND_WEIGHT / len(background.values)] * len(background.values)
    by_vectors = LogisticRegression(C=VECTOR_STRENGTH, max_iter=5000).fit(
        np.vstack([seen.vectors[rows], background.vectors]), labels, sample_weight=weights
    )
    values = [*(seen.values[at] for at in rows), *background.values, {}]
    counts = Counter(name for each in seen.values for name in each)
    column = {
        name: at for at, name in enumerate(sorted(name for name in counts if counts[name] >= MIN_NEEDS))
    }
    cells = [
        (value, row, column[name])
        for row, each in enumerate(values)
        for name, value in each.items()
        if name in column
    ]
    data, row_of, column_of = zip(*cells, strict=True)
    x = csr_matrix((data, (row_of, column_of)), shape=(len(values), len(column)))
    by_words = LogisticRegression(C=STRENGTH, max_iter=5000).fit(
        x, [*labels, RESEARCH], sample_weight=[*weights, NOTHING_WEIGHT]
    )
    return Models(
        {name: by_words.coef_[:, at] for name, at in column.items()},
        by_words.intercept_,
        by_vectors.coef_.T,
        by_vectors.intercept_,
    )


def cross_validate(routed: list[Routed], seen: Seen, background: Seen) -> tuple[Floats, Floats]:
    """Logits by words and by vectors, by models that have not seen the need."""
    by_words, by_vectors = np.zeros((2, len(routed), len(KINDS)))
    # Many needs have a like one in the other language, which would give the answer away.
    alike = connected_components(csr_matrix(seen.vectors @ seen.vectors.T > ALIKE))[1]
    strata = [f"{need.language} {need.kinds[0]}" for need in routed]
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for inside, outside in folds.split(strata, strata, alike):
        models = learn(seen.part(inside), [routed[at].kinds for at in inside], background)
        by_words[outside], by_vectors[outside] = models.logits(seen.part(outside))
    return by_words, by_vectors


def is_right(routed: list[Routed], logits: Floats) -> list[bool]:
    """Whether the first kind is among the right ones."""
    return [KINDS[at] in need.kinds for need, at in zip(routed, logits.argmax(axis=1), strict=True)]


def accuracy(routed: list[Routed], logits: Floats) -> float:
    """Share of needs whose first kind is among the right ones."""
    return float(np.mean(is_right(routed, logits)))


def surprise(routed: list[Routed], logits: Floats) -> float:
    """Mean of -log(chance of the right kinds): low where chances are both right and honest."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    right = [shares[at, [KINDS.index(kind) for kind in need.kinds]].sum() for at, need in enumerate(routed)]
    return float(-np.log(right).mean())


def write(models: Models, encoder: str, word_share: float, vector_share: float, about: str) -> None:
    """The weights of words as a table by name; those of the vectors as JSON by encoder."""
    lines = [f"# logits; {about}", "\t".join(["feature", *KINDS])]
    for name, row in [(INTERCEPT, models.intercept), *sorted(models.words.items())]:
        lines.append("\t".join([name, *(f"{value:.3f}" for value in row)]))
    WEIGHTS.write_text("\n".join(lines) + "\n", encoding="utf-8")
    entries = json.loads(VECTOR_WEIGHTS.read_text(encoding="utf-8")) if VECTOR_WEIGHTS.exists() else {}
    entries[encoder] = {
        "about": about,
        "word_share": word_share,
        "intercept": (vector_share * models.vector_intercept).round(3).tolist(),
        "weights": (vector_share * models.vectors).round(3).tolist(),
    }
    VECTOR_WEIGHTS.write_text(json.dumps(entries).replace("], [", "],\n[") + "\n", encoding="utf-8")


def main() -> None:
    """Cross-validate, choose the shares, learn on all needs, write and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoder", default="kennismatch")
    parser.add_argument("--wrong", action="store_true", help="print the needs that went wrong")
    options = parser.parse_args()
    encoder = open_encoder(options.encoder)
    data = evaluation_data()
    routed, tune = read(TRAIN), read(TUNE)
    seen, seen_tune = (see([(need.text, need.language) for need in each], encoder) for each in (routed, tune))
    background = see(research_needs(data), encoder)
    crossed = cross_validate(routed, seen, background)
    models = learn(seen, [need.kinds for need in routed], background)
    tuned = models.logits(seen_tune)
    # Half by needs the phrases were not written beside, half by more of them.
    tried = {
        (words, vectors): 0.5 * surprise(tune, words * tuned[0] + vectors * tuned[1])
        + 0.5 * surprise(routed, words * crossed[0] + vectors * crossed[1])
        for words, vectors in product(WORD_SHARES, VECTOR_SHARES)
    }
    for words, vectors in tried:
        mixed = words * crossed[0] + vectors * crossed[1]
        print(
            f"words {words:g} + vectors {vectors:g}: "
            f"tune {surprise(tune, words * tuned[0] + vectors * tuned[1]):.3f} nats, "
            f"{accuracy(tune, words * tuned[0] + vectors * tuned[1]):.3f} right; "
            f"cross-validated {surprise(routed, mixed):.3f} nats, {accuracy(routed, mixed):.3f} right"
        )
    words, vectors = min(tried, key=lambda shares: tried[shares])
    mixed = words * crossed[0] + vectors * crossed[1]
    about = (
        f"{len(routed)} needs and {len(background.values)} research needs, by python -m benchmarks.routing; "
        f"cross-validated accuracy {accuracy(routed, mixed):.3f}, words alone {accuracy(routed, crossed[0]):.3f}"
    )
    write(models, encoder.name, words, vectors, about)
    print(f"{words:g} x words + {vectors:g} x vectors, {about}")
    for label in ("nl", "en", *KINDS):
        part = [at for at, need in enumerate(routed) if label in (need.language, *need.kinds)]
        print(f"{label}: {accuracy([routed[at] for at in part], mixed[part]):.3f} ({len(part)} needs)")
    final = words * tuned[0] + vectors * tuned[1]
    print(
        f"tune: words alone {accuracy(tune, tuned[0]):.3f}, both {accuracy(tune, final):.3f} ({len(tune)} needs)"
    )
    asked = [(need.text, need.language) for need in reference_needs(data, ["tune"])]
    by_words, by_vectors = models.logits(see(asked, encoder))
    for label, logits in (("words alone", by_words), ("both", words * by_words + vectors * by_vectors)):
        share = float((logits.argmax(axis=1) == RESEARCH).mean())
        print(f"reference needs of tune that go to research, {label}: {share:.3f} ({len(asked)} needs)")
    if options.wrong:
        for each, logits in ((routed, mixed), (tune, final)):
            for need, right, at in zip(each, is_right(each, logits), logits.argmax(axis=1), strict=True):
                if not right:
                    print(f"  {need.id} {need.kinds[0]} -> {KINDS[at]}: {need.text}")


if __name__ == "__main__":
    main()
