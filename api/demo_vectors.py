"""Make the vectors that come with the demonstration corpus: `python -m api.demo_vectors`.

To be run again whenever the corpus, the way texts are cut, or the default encoder changes; a test says so.
"""

from __future__ import annotations

import sys

from api import demonstration
from corpora.connectors.collection import read_collection
from corpora.model import Profile
from corpora.passages import split_profile
from embeddings.encoders import DEFAULT_ENCODER, open_encoder
from embeddings.seed import write_seed
from matcher.building import encoded_texts


def texts() -> list[str]:
    """All texts of the demonstration corpus that an encoder is given."""
    found: list[str] = []
    with demonstration.collection_folder() as folder:
        for profile in read_collection(folder):
            if isinstance(profile, Profile):
                forms, sentences = encoded_texts(profile, split_profile(profile))
                found += forms + sentences
    return found


def main() -> None:
    """Encode and write."""
    with demonstration.collection_folder() as folder:
        path = folder / demonstration.SEED
        n_texts = write_seed(path, open_encoder(DEFAULT_ENCODER), texts())
        sys.stdout.write(f"{n_texts} vectors, {path.stat().st_size / 1e6:.1f} MB, written to {path.name}\n")


if __name__ == "__main__":
    main()
