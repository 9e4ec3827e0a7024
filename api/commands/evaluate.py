"""`kennismatch evaluate`: the quality of the ranking on a collection with judgements."""

from __future__ import annotations

import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of

if TYPE_CHECKING:
    from matcher.evaluation.experiment import Result


class Arm(StrEnum):
    """What answers the needs."""

    LEXICAL = "lexical"
    DENSE = "dense"
    PIPELINE = "pipeline"


def evaluate(
    ctx: typer.Context,
    collection: Annotated[Path, typer.Argument(help="Folder with groups.jsonl, needs.jsonl and qrels.tsv.")],
    arm: Annotated[
        Arm, typer.Option("--arm", help="Words alone, meaning alone, or all as `serve` does.")
    ] = Arm.PIPELINE,
    without: Annotated[
        list[str] | None, typer.Option("--without", help="Stage to leave out of the pipeline; repeatable.")
    ] = None,
    needs: Annotated[Path | None, typer.Option("--needs", help="Other needs than the collection's.")] = None,
    qrels: Annotated[
        Path | None, typer.Option("--qrels", help="Other judgements than the collection's.")
    ] = None,
    depth: Annotated[
        int, typer.Option("--depth", min=1, max=1000, help="Profiles ranked for each need.")
    ] = 100,
    run_file: Annotated[
        Path | None, typer.Option("--run-file", help="Keep the TREC run in this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON on standard output.")] = False,
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Index a collection in a scratch folder, answer its needs, and measure: nDCG@10, MRR@10, recall@50.

    Intervals are 95 % bootstrap intervals over needs. The records and the index of the data folder are left
    alone; only its cache of vectors is used and added to.
    """
    settings = settings_of(ctx, data=data, encoder=encoder)
    from api.progress import shown
    from embeddings.cache import CachedEncoder, VectorCache
    from embeddings.encoders import open_encoder
    from matcher.evaluation.experiment import evaluate as run_experiment
    from matcher.indexing import VECTORS

    settings.data.mkdir(parents=True, exist_ok=True)
    with (
        shown() as progress,
        VectorCache(settings.data / VECTORS) as cache,
        tempfile.TemporaryDirectory(prefix="kennismatch-evaluate-") as scratch,
    ):
        progress("encoder", 0, 0)
        result = run_experiment(
            collection,
            CachedEncoder(open_encoder(settings.encoder), cache),
            Path(scratch),
            arm=arm.value,
            without=without or (),
            needs_file=needs,
            qrels_file=qrels,
            depth=depth,
            run_file=run_file,
            progress=progress,
        )
    for need, reason in list(result.unanswered.items())[:20]:
        typer.echo(f"need {need} was not answered: {reason}", err=True)
    if as_json:
        import json
        from dataclasses import asdict

        shown_fields = {key: value for key, value in asdict(result).items() if key != "values"}
        typer.echo(json.dumps(shown_fields, indent=1))
        return
    _print_table(result)


def _print_table(result: Result) -> None:
    from rich.console import Console
    from rich.table import Table

    from matcher.evaluation.measures import MEASURES

    left_out = f", without {', '.join(result.without)}" if result.without else ""
    table = Table(
        title=f"{result.arm} with {result.encoder}{left_out}: {result.n_groups:,} groups",
        caption=f"indexed in {result.index_s:.1f} s, answered in {result.answer_s:.1f} s; 95 % bootstrap intervals",
    )
    table.add_column("needs")
    table.add_column("number", justify="right")
    for name in MEASURES:
        table.add_column(name, justify="right")
    for language, estimates in result.estimates.items():
        n_needs = next(iter(estimates.values())).n_needs
        table.add_row(language, str(n_needs), *(str(estimates[name]) for name in MEASURES))
    Console(width=110).print(table)
