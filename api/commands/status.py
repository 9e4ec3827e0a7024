"""`kennismatch status`: what is in the data folder, and whether its parts agree."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of

if TYPE_CHECKING:
    from api.settings import Settings
    from matcher.locks import LockName


@dataclass(slots=True)
class Status:
    """What `kennismatch status` tells. Counts are None where there is nothing to count.

    `agree` says that records, vectors and words hold the same profiles and passages; `problems` why not, or what
    else is wrong. `server_pid` and `writer_pid` are of the processes at work now.
    """

    data: str
    encoder: str
    generation: str | None = None
    generations: list[str] = field(default_factory=list)
    index_encoder: str | None = None
    created_at: str | None = None
    profiles: int | None = None
    documents: int | None = None
    needs: int | None = None
    profiles_indexed: int | None = None
    passages: int | None = None
    vectors: int | None = None
    lexical_entries: int | None = None
    sentences: int | None = None
    rolled_back_from: str | None = None
    to_index: int | None = None
    agree: bool = False
    server_pid: int | None = None
    writer_pid: int | None = None
    size_bytes: int = 0
    free_bytes: int = 0
    problems: list[str] = field(default_factory=list)


def status(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Show the data folder: counts and whether they agree, index, encoder, locks and disk."""
    found = read_status(settings_of(ctx, data=data, encoder=encoder))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2, ensure_ascii=False))
    else:
        _show(found)
    if found.problems:
        raise typer.Exit(1)


def read_status(settings: Settings) -> Status:
    """The status of a data folder; a part that cannot be read is a problem, not an error."""
    import shutil

    from matcher.live import generation_names, rolled_back_from

    folder = settings.data
    found = Status(data=str(folder.absolute()), encoder=settings.encoder)
    if not folder.is_dir():
        found.problems.append(
            f"expected a data folder, found none at {folder}; `kennismatch serve` makes one"
        )
        return found
    found.size_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    found.free_bytes = shutil.disk_usage(folder).free
    found.server_pid, found.writer_pid = _at_work(folder, "serve"), _at_work(folder, "write")
    found.generations, found.rolled_back_from = generation_names(folder), rolled_back_from(folder)
    hashes = _read_records(settings, found)
    indexed = _read_index(settings, found)
    if hashes is not None and indexed is not None:
        gone = len(indexed.keys() - hashes.keys())
        found.to_index = gone + sum(indexed.get(id_) != digest for id_, digest in hashes.items())
        if found.to_index:
            kept = f" (somebody went back from {found.rolled_back_from})" if found.rolled_back_from else ""
            found.problems.append(
                f"{found.to_index:,} profiles differ between records and index{kept}; run `kennismatch index`"
            )
    found.agree = not found.problems
    return found


def _read_records(settings: Settings, found: Status) -> dict[str, str] | None:
    from api.errors import expected_errors, message_of
    from corpora.database import open_engine, reading, upgrade
    from corpora.store import Records

    if not settings.database.exists():
        found.problems.append(
            "there are no records yet; run `kennismatch import FOLDER` or `kennismatch serve`"
        )
        return None
    try:
        engine = open_engine(settings.database)
        upgrade(engine)
        with reading(engine) as session:
            records = Records(session)
            counts = records.counts()
            hashes = records.profile_hashes()
        engine.dispose()
    except expected_errors() as error:
        found.problems.append(message_of(error))
        return None
    found.profiles, found.documents, found.needs = counts.profiles, counts.documents, counts.needs
    return hashes


def _read_index(settings: Settings, found: Status) -> dict[str, str] | None:
    from embeddings.encoders import known_as
    from matcher.generations import Generation, GenerationError
    from matcher.live import index_folder, live_name

    name = live_name(settings.data)
    if not name:
        found.problems.append("there is no index yet; run `kennismatch index`")
        return None
    try:
        generation = Generation.open(index_folder(settings.data) / name)
    except GenerationError as error:
        found.problems.append(str(error))
        return None
    manifest = generation.manifest
    found.generation, found.index_encoder, found.created_at = name, manifest.encoder, manifest.created_at
    found.profiles_indexed, found.sentences = manifest.counts.profiles, manifest.counts.sentences
    found.passages, found.vectors = len(generation.rows), len(generation.vectors)
    found.lexical_entries = len(generation.lexical.row_ids())
    if known_as(manifest.encoder) != known_as(settings.encoder):
        found.problems.append(
            f"the index is of the encoder {manifest.encoder}, but {settings.encoder} is set; "
            "run `kennismatch index`, or choose that encoder"
        )
    hashes = generation.hashes()
    generation.close()
    return hashes


def _at_work(folder: Path, name: LockName) -> int | None:
    """Process id of who holds a lock now; None where nobody does."""
    import fcntl

    from matcher.locks import holder

    try:
        with (folder / f"{name}.lock").open("rb") as lock:
            # Shared, and only looked at: two that look do not disturb each other, nor the file's content.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return holder(folder, name)
    return None


def _show(found: Status) -> None:
    def of(value: int | None) -> str:
        return "none" if value is None else f"{value:,}"

    lines = [
        (
            "Data folder",
            f"{found.data} ({found.size_bytes / 1e6:,.1f} MB, {found.free_bytes / 1e9:,.1f} GB free)",
        ),
        (
            "Records",
            f"{of(found.profiles)} profiles, {of(found.documents)} documents, {of(found.needs)} needs",
        ),
        ("Index", f"{found.generation or 'none'} of {', '.join(found.generations) or 'none'}"),
        (
            "Indexed",
            f"{of(found.profiles_indexed)} profiles, {of(found.passages)} passages, {of(found.sentences)} sentences",
        ),
        ("Vectors, words", f"{of(found.vectors)} in FAISS, {of(found.lexical_entries)} in tantivy"),
        ("Encoder", f"{found.encoder} set, {found.index_encoder or 'none'} in the index"),
        (
            "At work",
            f"server {found.server_pid or 'none'}, importer or index builder {found.writer_pid or 'none'}",
        ),
        ("All agree", "yes" if found.agree else "no"),
    ]
    for name, value in lines:
        typer.echo(f"{name + ':':16}{value}")
    for problem in found.problems:
        typer.echo(f"! {problem}", err=True)
