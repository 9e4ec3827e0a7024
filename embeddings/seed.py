"""Vectors that come with the program, for texts that come with it: a first start need not make them again.

A seed is a small file of keys (SHA-256 of the text form, as in the cache) and vectors in 8 bits with one scale
each, made by one encoder. It is only ever put into the cache of that same encoder; texts that it does not know,
or that have changed since, are encoded as any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embeddings.cache import VectorCache, key_of
from embeddings.encoders import Encoder, Vectors

KIND = "passage"


class SeedError(Exception):
    """A seed file cannot be read: what was expected, what was found, what to do."""


def write_seed(path: Path, encoder: Encoder, texts: Sequence[str]) -> int:
    """Encode texts as passages and write the seed file; returns how many different texts there were."""
    different = sorted(set(texts))
    vectors = encoder.encode_passages(different)
    scales = np.abs(vectors).max(axis=1) / 127.0
    np.savez_compressed(
        path,
        fingerprint=np.array(encoder.fingerprint),
        keys=np.frombuffer(b"".join(key_of(KIND, text) for text in different), dtype=np.uint8).reshape(
            -1, 32
        ),
        numbers=np.round(vectors / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float32),
    )
    return len(different)


def read_seed(path: Path) -> tuple[str, dict[bytes, Vectors]]:
    """Fingerprint of the encoder, and key -> `(dim,)` float32 unit vector.

    Raises:
        SeedError: the file is no seed.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            vectors = file["numbers"].astype(np.float32) * file["scales"][:, None]
            keys = [row.tobytes() for row in file["keys"]]
            fingerprint = str(file["fingerprint"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise SeedError(
            f"expected vectors that come with the program in {path.name}, found: {error}; install it again"
        ) from error
    # A scale each is enough for the direction; the length is made exactly 1 again.
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return fingerprint, dict(zip(keys, vectors, strict=True))


def plant(path: Path, cache: VectorCache, fingerprint: str) -> int:
    """Put the seed into the cache if it is of the encoder with this fingerprint; returns how many vectors went in.

    Raises:
        SeedError: the file is no seed.
    """
    made_by, vectors = read_seed(path)
    if made_by != fingerprint:
        return 0
    cache.adopt(fingerprint, vectors)
    return len(vectors)
