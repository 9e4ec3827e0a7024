"""`kennismatch audit`: the log of who did what, and whether it is as it was written."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.commands.options import DataOption, settings_of

app = typer.Typer(help="The audit log.", no_args_is_help=True)


@app.command()
def verify(
    ctx: typer.Context,
    head: Annotated[
        str | None,
        typer.Option("--head", help="Hash of a row that must be there, from an earlier run.", metavar="HASH"),
    ] = None,
    data: DataOption = None,
) -> None:
    """Check every row; names the first that is not as it was written. Keep the hash that it prints elsewhere."""
    from api.accounts.audit import verify_all
    from api.commands.records import records
    from api.errors import CommandError
    from corpora.database import reading

    with records(settings_of(ctx, data=data)) as engine, reading(engine) as session:
        found = verify_all(session, head)
    if found.bad is not None:
        raise CommandError(
            f"the audit log is not as it was written: row {found.bad.seq}: {found.bad.reason}; "
            f"the {found.bad.seq - 1} rows before it hold. Keep a copy of the data folder and find out who could write there"
        )
    typer.echo(f"{found.n_entries} rows hold; {found.n_erased} parts were erased. Last hash: {found.head}")


@app.command("list")
def list_(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many rows, the latest first.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, a row a line.")] = False,
    data: DataOption = None,
) -> None:
    """Show the latest rows."""
    from api.accounts.audit_store import AuditRows
    from api.accounts.store import People
    from api.commands.records import records
    from corpora.database import reading

    with records(settings_of(ctx, data=data)) as engine, reading(engine) as session:
        entries = AuditRows(session).latest(None, limit)
        ids = {part.person_id for entry in entries for part in entry.parts if part.person_id}
        addresses = People(session).addresses(ids)
    for entry in entries:
        parts = {part.name: json.loads(part.content) for part in entry.parts}
        if as_json:
            row = {
                "seq": entry.seq,
                "at": entry.at,
                "action": entry.action,
                "parts": parts,
                "hash": entry.hash,
            }
            typer.echo(json.dumps(row, ensure_ascii=False))
            continue
        told = "; ".join(
            f"{name}: " + ", ".join(f"{key} {addresses.get(value, value)}" for key, value in content.items())
            for name, content in parts.items()
        )
        typer.echo(f"{entry.seq:>6}  {entry.at}  {entry.action}  {told or '(erased)'}")
