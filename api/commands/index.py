"""`kennismatch import`, `index` and `rollback`: from sources to an index that answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of

SHOWN_BROKEN = 20
"""Broken lines that are told one by one."""


def import_(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Collection: a folder with groups.jsonl.")],
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Import the profiles of a collection; what is there already and has not changed is left alone."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    from api.progress import shown
    from corpora.connectors.collection import import_collection
    from corpora.database import open_engine, upgrade
    from matcher.locks import hold

    with hold(settings.data, "write"), shown() as progress:
        engine = open_engine(settings.database)
        upgrade(engine)
        report = import_collection(engine, folder, progress)
        engine.dispose()
    for broken in report.broken[:SHOWN_BROKEN]:
        typer.echo(f"left out: {broken}", err=True)
    if len(report.broken) > SHOWN_BROKEN:
        typer.echo(f"left out: {len(report.broken) - SHOWN_BROKEN} lines more", err=True)
    typer.echo(
        f"{report.added} profiles added, {report.changed} changed, {report.unchanged} unchanged, "
        f"{len(report.broken)} lines left out."
    )
    if report.added or report.changed:
        typer.echo("Make them findable with: kennismatch index")
    if report.broken and not report.added + report.changed + report.unchanged:
        raise typer.Exit(1)


def index(
    ctx: typer.Context,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build all anew, not only what changed.")
    ] = False,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Bring the index up to date with the records; a running server goes over to it by itself."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    from api.progress import shown
    from corpora.database import open_engine, upgrade
    from embeddings.encoders import open_encoder
    from matcher.indexing import build_index
    from matcher.locks import hold

    with hold(settings.data, "write") as lock, shown() as progress:
        engine = open_engine(settings.database)
        upgrade(engine)
        progress("encoder", 0, 0)
        report = build_index(
            engine, settings.data, open_encoder(settings.encoder), progress, rebuild=rebuild, lock=lock
        )
        engine.dispose()
    if report.mode == "none":
        typer.echo(f"Nothing has changed: generation {report.generation}, {report.profiles:,} profiles.")
        return
    typer.echo(
        f"Generation {report.generation} is live: {report.profiles:,} profiles, {report.passages:,} passages, "
        f"{report.sentences:,} sentences; {report.embedded:,} vectors made, {report.from_cache:,} from the cache; "
        f"{report.elapsed_s:.1f} s."
    )


def rollback(ctx: typer.Context, data: DataOption = None, encoder: EncoderOption = None) -> None:
    """Make the previous generation of the index the live one again; it stays so until `kennismatch index`."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    from matcher.generations import rollback as roll_back

    typer.echo(f"Generation {roll_back(settings.data)} is live again, until `kennismatch index`.")
