"""`kennismatch mail`: the outbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.clock import now
from api.commands.options import DataOption, settings_of

if TYPE_CHECKING:
    from api.settings import Settings

app = typer.Typer(help="The outbox: what waits, and what went wrong.", no_args_is_help=True)

SHOWN = 20


@app.command()
def send(ctx: typer.Context, data: DataOption = None) -> None:
    """Send what is due, once around; a running server does so by itself."""
    from collections import Counter

    from api.commands.records import records
    from api.errors import CommandError
    from api.mail.sender import Outgoing
    from api.mail.smtp import LineError
    from api.secret import load_secret
    from corpora.database import unit_of_work

    settings = settings_of(ctx, data=data)
    _demand_server(settings)
    with records(settings) as engine:
        outgoing = Outgoing(settings, load_secret(settings), lambda: unit_of_work(engine), now)
        try:
            done = Counter(outgoing.send_due())
        except LineError as error:
            raise CommandError(f"{error}; everything stays queued and can be sent again") from error
    typer.echo(
        f"{done['sent']} sent, {done['put_off']} put off, {done['refused']} refused, {done['unclear']} unclear."
    )


@app.command()
def status(
    ctx: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
    data: DataOption = None,
) -> None:
    """Show how many mails are in which state, and those that a person should look at."""
    from api.commands.records import records
    from api.mail.message import MailState
    from api.mail.store import Outbox
    from corpora.database import reading

    settings = settings_of(ctx, data=data)
    with records(settings) as engine, reading(engine) as session:
        outbox = Outbox(session)
        counts, due, troubled = outbox.counts(), outbox.next_due(), outbox.troubled(SHOWN)
    found = {
        "server": f"{settings.smtp_host}:{settings.smtp_port}" if settings.sends_mail else None,
        "counts": {state.value: counts.get(state, 0) for state in MailState},
        "next_due": due.isoformat() if due is not None else None,
        "troubled": [
            {
                "id": mail.id,
                "kind": mail.kind,
                "state": mail.state.value,
                "attempts": mail.attempts,
                "problem": mail.problem,
            }
            for mail in troubled
        ],
    }
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(f"Mail server: {found['server'] or 'none set up (KENNISMATCH_SMTP_HOST)'}")
    typer.echo(", ".join(f"{counts.get(state, 0)} {state.value.replace('_', ' ')}" for state in MailState))
    for mail in troubled:
        typer.echo(f"{mail.id}  {mail.kind}, {mail.state.value}, {mail.attempts} attempts: {mail.problem}")
    if any(mail.state is MailState.UNCLEAR for mail in troubled):
        typer.echo(
            "Unclear: the mail may have arrived. If you know that it has not: kennismatch mail retry ID",
            err=True,
        )


@app.command()
def retry(
    ctx: typer.Context,
    mail_id: Annotated[str, typer.Argument(help="Id of the mail, from `mail status`.", metavar="ID")],
    data: DataOption = None,
) -> None:
    """Queue a refused or unclear mail once more; an unclear one may then arrive twice."""
    from api.commands.records import records
    from api.errors import CommandError
    from api.mail.store import Outbox
    from corpora.database import unit_of_work

    with records(settings_of(ctx, data=data)) as engine, unit_of_work(engine) as session:
        if not Outbox(session).retry(mail_id, now()):
            raise CommandError(
                f"expected the id of a refused or unclear mail, found {mail_id!r}; see kennismatch mail status"
            )
    typer.echo("Queued again.")


def _demand_server(settings: Settings) -> None:
    from api.errors import CommandError

    if not settings.sends_mail:
        raise CommandError(
            "expected a mail server, found none set up; set KENNISMATCH_SMTP_HOST, KENNISMATCH_MAIL_FROM and "
            "KENNISMATCH_BASE_URL (docs/operating.md)"
        )
