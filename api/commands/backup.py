"""`kennismatch backup` and `restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of


def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, a .tar.gz.")],
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Write records and index to one file; a server may be at work meanwhile. It holds needs: keep it safe."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    from api.archive import back_up

    contents = back_up(settings.data, file)
    size = file.stat().st_size / 1e6
    typer.echo(
        f"{len(contents.items)} files, index {contents.generation or 'none'}, written to {file} ({size:,.1f} MB)."
    )


def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that `kennismatch backup` wrote.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the data that is there.")] = False,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Put a backup into the data folder; it is verified before anything is replaced."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    from api.archive import restore as put_back

    contents = put_back(file, settings.data, force=force)
    typer.echo(f"Restored the backup of {contents.created_at}: {len(contents.items)} files verified.")
