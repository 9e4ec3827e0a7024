"""`kennismatch admin`: people and their roles, for who has access to the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.clock import now
from api.commands.options import DataOption, settings_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from api.accounts.model import Person

app = typer.Typer(help="People and their roles.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="E-mail address of the person.", metavar="EMAIL")]
RoleOption = Annotated[
    str, typer.Option("--role", help="asker, member, officer or administrator.", metavar="ROLE")
]
OrganisationOption = Annotated[
    str,
    typer.Option(
        "--organisation", help="Id or name of the organisation where the role holds; all without it."
    ),
]


@app.command()
def create(
    ctx: typer.Context,
    email: Email,
    role: RoleOption = "administrator",
    organisation: OrganisationOption = "",
    name: Annotated[str, typer.Option("--name", help="What the person is called.")] = "",
    language: Annotated[
        str, typer.Option("--language", help="nl or en: the language in which they are written to.")
    ] = "nl",
    data: DataOption = None,
) -> None:
    """Make an account with a role; somebody who has an account gets the role beside theirs."""
    from api.accounts.audit import COMMAND_LINE
    from api.accounts.roles import grant_of, invite
    from api.accounts.store import People
    from api.commands.records import records
    from api.errors import CommandError
    from corpora.database import unit_of_work

    if language not in ("nl", "en"):
        raise CommandError(f"expected nl or en for --language, found {language!r}")
    settings = settings_of(ctx, data=data)
    with records(settings) as engine, unit_of_work(engine) as session:
        grant = grant_of(role, organisation, People(session).organisations())
        person, is_new = invite(session, _address(email), name, language, grant, now(), COMMAND_LINE)
    typer.echo(f"{_line(person)}{'' if is_new else ' (nothing had to be changed)'}")
    typer.echo(f"Let them sign in with mail, or with: kennismatch admin link {person.address}")


@app.command("list")
def list_people(ctx: typer.Context, data: DataOption = None) -> None:
    """Show everybody with an account, and their roles."""
    from api.accounts.store import People
    from api.commands.records import records
    from corpora.database import reading

    with records(settings_of(ctx, data=data)) as engine, reading(engine) as session:
        people = People(session).page(0, People(session).count())
    for person in people:
        typer.echo(_line(person))
    if not people:
        typer.echo("Nobody has an account yet. Make one with: kennismatch admin create EMAIL", err=True)


@app.command()
def grant(
    ctx: typer.Context,
    email: Email,
    role: RoleOption,
    organisation: OrganisationOption = "",
    data: DataOption = None,
) -> None:
    """Give somebody a role."""
    from api.accounts.audit import COMMAND_LINE
    from api.accounts.roles import give, grant_of
    from api.accounts.store import People
    from api.commands.records import records
    from corpora.database import unit_of_work

    with records(settings_of(ctx, data=data)) as engine, unit_of_work(engine) as session:
        person, people = _known(session, email), People(session)
        wanted = grant_of(role, organisation, people.organisations())
        give(session, person.id, wanted, now(), COMMAND_LINE)
        person = people.get(person.id) or person
    typer.echo(_line(person))


@app.command()
def revoke(
    ctx: typer.Context,
    email: Email,
    role: RoleOption,
    organisation: OrganisationOption = "",
    data: DataOption = None,
) -> None:
    """Take a role back; the last administrator stays."""
    from api.accounts.audit import COMMAND_LINE
    from api.accounts.roles import grant_of
    from api.accounts.roles import revoke as take
    from api.accounts.store import People
    from api.commands.records import records
    from api.errors import CommandError
    from corpora.database import unit_of_work

    with records(settings_of(ctx, data=data)) as engine, unit_of_work(engine) as session:
        person, people = _known(session, email), People(session)
        held = grant_of(role, organisation, people.organisations())
        if not take(session, person.id, held, now(), COMMAND_LINE):
            raise CommandError(f"expected a role that the person has; they have: {_line(person)}")
        person = people.get(person.id) or person
    typer.echo(_line(person))


@app.command()
def erase(
    ctx: typer.Context,
    email: Email,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataOption = None,
) -> None:
    """Erase an account and all that is kept of the person; it cannot be undone."""
    from api.accounts.erasure import erase_person
    from api.commands.records import records
    from corpora.database import settle, unit_of_work

    if not yes:
        typer.confirm(f"Erase {email} and all that is kept of them?", abort=True)
    with records(settings_of(ctx, data=data)) as engine:
        with unit_of_work(engine) as session:
            erase_person(session, _known(session, email), now(), "command line")
        settle(engine)
    typer.echo("Erased.")


@app.command()
def link(ctx: typer.Context, email: Email, data: DataOption = None) -> None:
    """Print a link that signs somebody in; it works for 10 minutes, once. Whoever has it gets in."""
    from api.accounts.audit import COMMAND_LINE, Action, record
    from api.accounts.sign_in import AFTER_SIGN_IN, new_link
    from api.commands.records import records
    from api.secret import load_secret
    from corpora.database import unit_of_work

    settings = settings_of(ctx, data=data)
    with records(settings) as engine, unit_of_work(engine) as session:
        person = _known(session, email)
        token, _ = new_link(
            session, load_secret(settings), person.address, person.language, AFTER_SIGN_IN, now()
        )
        record(session, now(), Action.LINK_PRINTED, COMMAND_LINE, person.id)
    typer.echo(f"{settings.address}/sign-in/{token}")


def _known(session: Session, email: str) -> Person:
    from api.accounts.store import People
    from api.errors import CommandError

    person = People(session).by_address(_address(email))
    if person is None:
        raise CommandError(
            f"expected the address of somebody with an account, found {email}; make one with: "
            f"kennismatch admin create {email}"
        )
    return person


def _address(email: str) -> str:
    from api.accounts.address import AddressError, parse_address
    from api.errors import CommandError

    try:
        return parse_address(email)
    except AddressError as error:
        raise CommandError(f"expected {error}, found {email!r}") from error


def _line(person: Person) -> str:
    roles = ", ".join(
        grant.role.value + (f" at {grant.organisation}" if grant.organisation else "")
        for grant in person.grants
    )
    name = f" ({person.name})" if person.name else ""
    return f"{person.address}{name}: {roles or 'no role'}"
