"""Options that every command takes, before its name or after it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from api.settings import Settings

DataOption = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder (env KENNISMATCH_DATA, default data).", metavar="FOLDER"),
]
EncoderOption = Annotated[
    str | None,
    typer.Option(
        "--encoder",
        help="Encoder, by name or folder (env KENNISMATCH_ENCODER, default kennismatch, the model that comes with the program).",
        metavar="NAME",
    ),
]


def remember(ctx: typer.Context, **options: object) -> None:
    """Keep the options that stood before the name of the command."""
    ctx.obj = options


def settings_of(ctx: typer.Context, **options: object) -> Settings:
    """Settings from the environment, the options before the command's name, and those after it, the last first.

    Raises:
        SettingsError: a value cannot be used.
    """
    import logging

    from api.logs import configure_logging
    from api.settings import load_settings

    # What a command prints is its answer; the log goes to standard error, and only what a person must know.
    configure_logging(level=logging.WARNING)
    before: dict[str, object] = ctx.obj or {}
    after = {name: value for name, value in options.items() if value is not None}
    return load_settings({**before, **after})
