"""The offline story: records -> passages -> words and vectors, in generations.

A run compares the records with the live generation by content hash. Nothing new: nothing to do. A small change
becomes a copy of that generation with the changed profiles replaced; else everything is built anew (vectors come
from the cache). Either way the new generation is written beside the live one, checked by opening it, renamed to
its name, and only then named by CURRENT, so a run that is killed anywhere leaves the old one answering.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog
from sqlalchemy import Engine

from corpora.database import reading
from corpora.model import Profile
from corpora.store import Records
from embeddings.cache import CachedEncoder, VectorCache
from embeddings.encoders import Encoder
from embeddings.vectors import VectorIndexError
from matcher.building import RECIPE, Builder, Progress
from matcher.generations import Generation, GenerationError
from matcher.lexical import ANALYSER_VERSION, LexicalError
from matcher.live import (
    BUILDING,
    clear_unfinished,
    generation_names,
    index_folder,
    live_name,
    number,
    previous_name,
    remove_generation,
    rolled_back_from,
    swap,
)
from matcher.locks import HeldLock, hold
from matcher.manifest import DamagedGenerationError, Manifest, sum_files, sync, sync_tree
from matcher.snapshot import Snapshot, SnapshotError

log = structlog.get_logger(__name__)

MAX_CHANGED_SHARE = 0.2
"""Up to this share of the profiles, changes since the last full build are put into a copy. Removed words weigh on
in BM25's counts until tantivy merges them away, so they must stay few."""

VECTORS = "vectors.sqlite"

Mode = Literal["none", "delta", "full"]


class IndexingError(Exception):
    """A new generation cannot be written: what was expected, what was found, what to do. The old one answers."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did. `embedded` texts went through the encoder, `from_cache` were encoded before."""

    generation: str
    mode: Mode
    profiles: int
    passages: int
    sentences: int
    embedded: int
    from_cache: int
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What differs between the records and a generation.

    `new` are the profiles to index, with the content hash of each; `gone` those of the generation that were
    removed or changed; `erased` those that must not be there; `n_changed` counts since the last full build.
    """

    mode: Mode
    new: dict[str, str]
    gone: tuple[str, ...]
    erased: frozenset[str]
    n_changed: int


def build_index(
    engine: Engine,
    data_folder: Path,
    encoder: Encoder,
    progress: Progress | None = None,
    *,
    rebuild: bool = False,
    sentences: bool = True,
    lock: HeldLock | None = None,
) -> IndexReport:
    """Bring the index up to date with the records and make it live.

    Args:
        engine: the records.
        data_folder: where `index/` lies.
        encoder: what encodes passages and sentences; unless it has a cache of its own, `vectors.sqlite` in the data
            folder is used.
        progress: told about every stage.
        rebuild: build everything anew, whatever the live generation holds.
        sentences: make vectors of sentences, without which nothing can be explained; measuring needs none.
        lock: the write lock, from a caller that holds it already.

    Raises:
        LockError: another importer or index builder is at work.
        IndexingError: the folder cannot be written or the disk is full.
        EncoderError: the encoder fails.
    """
    started = time.perf_counter()
    with hold(data_folder, "write") if lock is None else nullcontext(lock), _writing(data_folder):
        index_folder(data_folder).mkdir(exist_ok=True)
        clear_unfinished(data_folder)
        base = _base(data_folder, encoder)
        with reading(engine) as session:
            records = Records(session)
            usable = base if base and not rebuild and (base.manifest.has_sentences or not sentences) else None
            plan = compare(records.profile_hashes(), records.tombstones(), usable)
        if plan.mode == "none" and base is not None:
            report = _nothing_to_do(data_folder, base, plan)
        else:
            with _cached(encoder, data_folder) as cached:
                report = _build(engine, data_folder, base, plan, cached, progress or _no_progress, sentences)
    report = replace(report, elapsed_s=time.perf_counter() - started)
    log.info("indexed", **asdict(report))
    return report


def compare(records: Mapping[str, str], tombstones: frozenset[str], base: Generation | None) -> Plan:
    """Compare content hashes of the records, by profile id, with those of a generation.

    A generation that holds an erased profile is not copied: words removed from it stay in its files.
    """
    wanted = {profile: digest for profile, digest in records.items() if profile not in tombstones}
    if base is None:
        return Plan("full", wanted, (), tombstones, 0)
    held = base.hashes()
    new = {profile: digest for profile, digest in wanted.items() if held.get(profile) != digest}
    gone = tuple(profile for profile, digest in held.items() if wanted.get(profile) != digest)
    current_recipe = base.manifest.recipe == RECIPE
    if not new and not gone and current_recipe:
        return Plan("none", {}, (), tombstones, base.manifest.changed_since_full)
    n_changed = base.manifest.changed_since_full + len({*new, *gone})
    small = n_changed <= MAX_CHANGED_SHARE * len(held)
    if small and current_recipe and not tombstones & held.keys():
        return Plan("delta", new, gone, tombstones, n_changed)
    return Plan("full", wanted, (), tombstones, 0)


def _base(data_folder: Path, encoder: Encoder) -> Generation | None:
    """The generation to compare with: the live one, or a whole earlier one; None if none can be used."""
    try:
        return Generation.open_current(data_folder, expected_fingerprint=encoder.fingerprint)
    except GenerationError as error:
        log.info("index_built_anew", reason=str(error))
        return None


def _nothing_to_do(data_folder: Path, base: Generation, plan: Plan) -> IndexReport:
    if live_name(data_folder) != base.name or rolled_back_from(data_folder):
        swap(data_folder, base.name)
    _clean(data_folder, base.name, previous_name(data_folder, base.name), plan.erased)
    return _report(base.manifest, "none")


def _build(
    engine: Engine,
    data_folder: Path,
    base: Generation | None,
    plan: Plan,
    encoder: CachedEncoder,
    progress: Progress,
    sentences: bool,
) -> IndexReport:
    name = f"g{1 + max(map(number, [*generation_names(data_folder), live_name(data_folder) or ''])):06d}"
    before = base.name if base else live_name(data_folder)
    parent = base if plan.mode == "delta" else None
    has_sentences = parent.manifest.has_sentences if parent else sentences
    final = index_folder(data_folder) / name
    with _folder(final.with_name(f"{BUILDING}{name}")) as folder:
        builder = Builder(folder, parent, encoder, progress)
        with reading(engine) as session:
            builder.write_texts(plan.gone, _wanted(Records(session), plan), plan.new)
        snapshot = Snapshot.open(folder)
        try:
            builder.write_words(snapshot)
            builder.write_vectors(snapshot)
            builder.write_sentences(snapshot, has_sentences)
            counts = snapshot.counts()
        finally:
            snapshot.close()
        progress("check", 0, 1)
        manifest = Manifest(
            name=name,
            encoder=encoder.name,
            encoder_fingerprint=encoder.fingerprint,
            dim=encoder.dim,
            analyser_version=ANALYSER_VERSION,
            recipe=RECIPE,
            has_sentences=has_sentences,
            counts=counts,
            files=sum_files(folder),
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            parent=parent.name if parent else None,
            changed_since_full=plan.n_changed,
        )
        manifest.write(folder)
        sync_tree(folder)
        Generation.open(folder, expected_fingerprint=encoder.fingerprint).close()
        folder.rename(final)
    sync(final.parent)
    swap(data_folder, name)
    progress("check", 1, 1)
    _clean(data_folder, name, before, plan.erased)
    return _report(manifest, plan.mode, builder)


def _wanted(records: Records, plan: Plan) -> Iterator[Profile]:
    """The records of the new profiles; one that came or went meanwhile is left to the next run."""
    if plan.mode == "full":
        yield from (profile for profile in records.profiles() if profile.id in plan.new)
    else:
        found = (records.get_profile(profile_id) for profile_id in plan.new)
        yield from (profile for profile in found if profile is not None)


def _clean(data_folder: Path, live: str, before: str | None, erased: frozenset[str]) -> None:
    """Keep the live generation and the one before it; the latter not if it is broken or holds erased profiles."""
    for name in generation_names(data_folder):
        if name == live or (name == before and not _holds(index_folder(data_folder) / name, erased)):
            continue
        remove_generation(data_folder, name)


def _holds(folder: Path, erased: frozenset[str]) -> bool:
    try:
        snapshot = Snapshot.open(folder)
    except DamagedGenerationError:
        return True
    try:
        return bool(erased & snapshot.hashes().keys())
    finally:
        snapshot.close()


def _report(manifest: Manifest, mode: Mode, builder: Builder | None = None) -> IndexReport:
    return IndexReport(
        generation=manifest.name,
        mode=mode,
        profiles=manifest.counts.profiles,
        passages=manifest.counts.passages,
        sentences=manifest.counts.sentences,
        embedded=builder.n_encoded if builder else 0,
        from_cache=builder.n_from_cache if builder else 0,
        elapsed_s=0.0,
    )


@contextmanager
def _cached(encoder: Encoder, data_folder: Path) -> Iterator[CachedEncoder]:
    if isinstance(encoder, CachedEncoder):
        yield encoder
    else:
        with VectorCache(data_folder / VECTORS) as vectors:
            yield CachedEncoder(encoder, vectors)


def _no_progress(stage: str, done: int, total: int) -> None:
    """Tell nobody."""


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """A new folder that is gone afterwards, unless it was renamed."""
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def _writing(data_folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, SnapshotError, VectorIndexError, LexicalError, DamagedGenerationError) as error:
        raise IndexingError(
            f"expected to write a new index generation in {index_folder(data_folder)}, but: {error}; "
            "the index that was live is unchanged; make room on the disk, or give this user the right to write "
            "there, and run `kennismatch index` again"
        ) from error
