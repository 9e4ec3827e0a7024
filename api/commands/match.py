"""`kennismatch match`: one need on the command line, or a file of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of

if TYPE_CHECKING:
    from api.settings import Settings
    from matcher.model import Answer
    from matcher.pipeline import Pipeline


def match(
    ctx: typer.Context,
    text: Annotated[str | None, typer.Argument(help="The need, in words.", show_default=False)] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Needs as CSV with columns id, text and, if known, language."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="CSV to write: one row a match, with evidence.")
    ] = None,
    language: Annotated[
        str | None, typer.Option("--language", help="Language of the need; detected by default.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="Matches a need.")] = 10,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the answer as the JSON API gives it.")
    ] = False,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Match a need, or every need of a file, with the live index."""
    from api.errors import CommandError
    from corpora.characters import storable

    if (text is None) == (file is None):
        raise CommandError(
            "expected a need in words, or a file of needs with --file and --out; give one of the two"
        )
    if (file is None) != (out is None):
        raise CommandError("expected --file and --out together; name both")
    settings = settings_of(ctx, data=data, encoder=encoder)
    with live_pipeline(settings) as pipeline:
        if file is not None and out is not None:
            from api.commands.match_file import match_file

            n_needs, n_failed = match_file(pipeline, file, out, limit)
            typer.echo(f"{n_needs:,} needs matched, {n_failed:,} could not be; written to {out}.")
            return
        answer = pipeline.match(storable(text or ""), language=language, limit=limit)
    if as_json:
        from api.routes.schemas import AnswerOut

        typer.echo(AnswerOut.of(answer).model_dump_json(indent=2))
    else:
        _show(answer)


@contextmanager
def live_pipeline(settings: Settings) -> Iterator[Pipeline]:
    """The pipeline on the live generation, with nobody in it who has been erased.

    Raises:
        GenerationError: nothing has been indexed, or the index is damaged or of another encoder.
        EncoderError: there is no such encoder.
    """
    from corpora.database import open_engine, reading, upgrade
    from corpora.store import Records
    from embeddings.encoders import open_encoder
    from matcher.generations import Generation
    from matcher.live import live_name
    from matcher.pipeline import Pipeline

    erased: frozenset[str] = frozenset()
    if settings.database.exists():
        engine = open_engine(settings.database)
        upgrade(engine)
        with reading(engine) as session:
            erased = Records(session).tombstones()
        engine.dispose()
    elif live_name(settings.data) is None:
        # Before the encoder is loaded, which takes a second.
        Generation.open_current(settings.data)
    model = open_encoder(settings.encoder)
    generation = Generation.open_current(
        settings.data, expected_fingerprint=model.fingerprint, erased=lambda: erased
    )
    try:
        yield Pipeline(generation, model, excluded=lambda: erased)
    finally:
        generation.close()


def _show(answer: Answer) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=False)
    if not answer.fits:
        console.print(Text("Nobody here fits well; these come nearest.", style="bold yellow"))
    for found in answer.matches:
        profile = found.profile
        console.print(
            Text.assemble(
                (f"{found.rank}. {profile.name}", "bold"), f", {profile.organisation}", f"  {found.probability:.0%}  ",
                (f"[{profile.id}]", "dim"),
            )
        )  # fmt: skip
        for item in found.evidence:
            source = ", ".join(
                part for part in (item.title, item.date.isoformat() if item.date else "") if part
            )
            console.print(Padding(Text(f"{item.aspect}", style="cyan"), (0, 0, 0, 3)))
            console.print(Padding(Text.assemble(f"“{item.quote}” ", (f"({source})", "dim")), (0, 0, 0, 5)))
        for aspect in found.unmet:
            console.print(Padding(Text(f"not answered: {aspect.text}", style="yellow"), (0, 0, 0, 3)))
    if not answer.matches:
        console.print("There is no profile to show.")
