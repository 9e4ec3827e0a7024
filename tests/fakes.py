"""Fakes that can be checked by hand, and small records to index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from corpora.model import Document, Organisation, Profile, ProfileKind
from embeddings.encoders import Vectors


class BucketEncoder:
    """A word falls into the bucket "sum of its code points modulo dim"; a text is the count of its buckets.

    With 8 buckets "ab" (97 + 98 = 195) falls into bucket 3, "b" (98) into bucket 2, so "ab b b" counts
    (0, 0, 2, 1, 0, 0, 0, 0), which divided by its length, the root of 5, is the vector. A text without words counts
    one in bucket 0. `n_texts` says how many texts were encoded as passages.
    """

    def __init__(self, dim: int = 8, name: str = "buckets") -> None:
        self.name = name
        self.dim = dim
        self.n_texts = 0

    @property
    def fingerprint(self) -> str:
        return f"{self.name}-{self.dim}"

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encode(texts)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.n_texts += len(texts)
        return self._encode(texts)

    def _encode(self, texts: Sequence[str]) -> Vectors:
        counts = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in text.split():
                counts[row, sum(map(ord, word)) % self.dim] += 1.0
            if not text.split():
                counts[row, 0] = 1.0
        vectors: Vectors = counts / np.linalg.norm(counts, axis=1, keepdims=True)
        return vectors


SUBJECTS = (
    "welding",
    "optics",
    "vacuum",
    "robotics",
    "coatings",
    "acoustics",
    "magnets",
    "plasma",
    "bearings",
    "lasers",
)


def sample_profile(number: int, about: str | None = None) -> Profile:
    """Profile `p000`, `p001`, …: a group of one of three institutes, with two documents about its subject."""
    id_ = f"p{number:03d}"
    subject = about or f"{SUBJECTS[number % len(SUBJECTS)]} number{number}"
    documents = tuple(
        Document(
            id=f"{id_}-d{k}",
            profile_id=id_,
            kind="publication",
            title=f"Paper {k} on {subject}",
            text=f"We study {subject} in thin plates. Our rig measures {subject} at high speed. Part {k} ends here.",
            language="en",
        )
        for k in (1, 2)
    )
    institute = f"Institute {number % 3}"
    return Profile(
        id=id_,
        kind=ProfileKind.RESEARCH_GROUP,
        name=f"Group for {subject}",
        organisation=Organisation(f"institute-{number % 3}", institute),
        language="en",
        description=f"The group works on {subject} for industry. It has a laboratory.",
        documents=documents,
        roadmaps=("advanced-manufacturing",),
    )
