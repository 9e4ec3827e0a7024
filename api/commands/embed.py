"""`kennismatch embed`: the encoder alone, for measurements from outside."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from api.commands.options import DataOption, EncoderOption, settings_of

CHUNK = 256
"""Texts between two steps of the progress."""


class TextKind(StrEnum):
    """In which form texts are encoded."""

    QUERY = "query"
    PASSAGE = "passage"


def embed(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Texts in UTF-8, one a line.")],
    kind: Annotated[TextKind, typer.Option("--kind", help="Needs are queries; what answers them, passages.")],
    out: Annotated[Path, typer.Option("--out", help="File to write: float32 (n, dim), NumPy's .npy format.")],
    data: DataOption = None,
    encoder: EncoderOption = None,
) -> None:
    """Encode the lines of a file."""
    settings = settings_of(ctx, data=data, encoder=encoder)
    import numpy as np

    from api.files import written_whole
    from api.progress import shown
    from embeddings.encoders import open_encoder

    texts = read_lines(file)
    with shown() as progress:
        progress("encoder", 0, 0)
        model = open_encoder(settings.encoder)
        encode = model.encode_queries if kind is TextKind.QUERY else model.encode_passages
        vectors = np.empty((len(texts), model.dim), dtype=np.float32)
        for start in range(0, len(texts), CHUNK):
            vectors[start : start + CHUNK] = encode(texts[start : start + CHUNK])
            progress("embed", min(start + CHUNK, len(texts)), len(texts))
    with written_whole(out) as stream:
        np.save(stream, vectors, allow_pickle=False)
    typer.echo(f"{vectors.shape[0]:,} vectors of {vectors.shape[1]} numbers written to {out}.")


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, an empty one too; only the line end of the last one ends the file.

    Raises:
        CommandError: it is not in UTF-8.
    """
    from api.errors import CommandError

    try:
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise CommandError(
            f"expected {path} to be in UTF-8, found another byte at place {error.start}"
        ) from error
    if lines[-1] == "":
        lines.pop()
    return [line.removesuffix("\r") for line in lines]
