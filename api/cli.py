"""The command line, `kennismatch`. The commands are in `api.commands`; here they get their names."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.commands import admin, audit, backup, embed, evaluate, index, mail, match, options, serve, status


class Commands(TyperGroup):
    """Tells an error that was foreseen in one message, without a traceback, and exits with 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from api.errors import expected_errors, message_of

        try:
            return super().invoke(ctx)
        except Exception as error:
            if os.environ.get("KENNISMATCH_DEBUG") or not isinstance(error, expected_errors()):
                raise
            typer.echo(f"kennismatch: {message_of(error)}", err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    name="kennismatch",
    cls=Commands,
    help="Match what companies need with what research groups know, in Dutch and English, and say why.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Help in plain text: the rich one takes 0.2 s to load.
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(version("kennismatch"))
        raise typer.Exit


@app.callback()
def main(
    ctx: typer.Context,
    data: options.DataOption = None,
    encoder: options.EncoderOption = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keep the options that hold for every command."""
    options.remember(ctx, data=data, encoder=encoder)


app.command(short_help="Serve the pages and the JSON API.")(serve.serve)
app.command("import", short_help="Import the profiles of a collection.")(index.import_)
app.command(short_help="Bring the index up to date with the records.")(index.index)
app.command(short_help="Make the previous index the live one again.")(index.rollback)
app.command(short_help="Match a need, or a file of needs.")(match.match)
app.command(short_help="Measure the ranking on a collection.")(evaluate.evaluate)
app.command(short_help="Encode the lines of a file.")(embed.embed)
app.command(short_help="Show what is there, and whether it agrees.")(status.status)
app.command(short_help="Write records and index to one file.")(backup.backup)
app.command(short_help="Put a backup into the data folder.")(backup.restore)
app.add_typer(admin.app, name="admin", short_help="People and their roles.")
app.add_typer(audit.app, name="audit", short_help="The log of who did what.")
app.add_typer(mail.app, name="mail", short_help="The outbox of mail.")
