"""`kennismatch serve`."""

from __future__ import annotations

from typing import Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of


def serve(
    ctx: typer.Context,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on (env KENNISMATCH_HOST, default 127.0.0.1).")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes any free one (env KENNISMATCH_PORT, default 8000).")
    ] = None,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Serve the pages and the JSON API; brings the index up to date first.

    On an empty data folder the demonstration collection (fictional) is imported.
    """
    settings = settings_of(ctx, host=host, port=port, data=data, encoder=encoder)
    from api.server import run

    run(settings)
