"""The shipped encoder: what it promises, and what it says of a broken folder or of a hard text."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embeddings.encoders import Encoder, EncoderError
from embeddings.encoders.onnx import GRAPH, MANIFEST, SHIPPED, TOKENIZER, OnnxEncoder

EN = "We look for a way to measure vibrations along a pipeline with one cable."
NL = "Wij willen trillingen langs een leiding meten met één enkele kabel."
OTHER = "De bakker op de hoek verkoopt op zaterdag roggebrood met zonnebloempitten."


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(SHIPPED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped folder that a test may break."""
    for file in (GRAPH, TOKENIZER):
        (tmp_path / file).symlink_to(SHIPPED / file)
    (tmp_path / MANIFEST).write_bytes((SHIPPED / MANIFEST).read_bytes())
    return tmp_path


def say(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


class TestWhatItPromises:
    def test_it_is_an_encoder(self, encoder: OnnxEncoder) -> None:
        assert isinstance(encoder, Encoder)
        assert encoder.dim == 384

    def test_vectors_are_float32_and_of_length_1(self, encoder: OnnxEncoder) -> None:
        vectors = encoder.encode_passages([EN, NL, OTHER])
        assert vectors.shape == (3, 384)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_no_texts_give_no_vectors(self, encoder: OnnxEncoder) -> None:
        assert encoder.encode_queries([]).shape == (0, 384)

    def test_the_same_need_in_the_other_language_is_nearest(self, encoder: OnnxEncoder) -> None:
        en, nl, other = encoder.encode_queries([EN, NL, OTHER])
        assert en @ nl > 0.7
        assert en @ nl > en @ other + 0.3

    def test_queries_and_passages_have_their_own_form(self, encoder: OnnxEncoder) -> None:
        assert encoder.encode_queries([EN])[0] @ encoder.encode_passages([EN])[0] < 0.9999

    def test_a_text_gets_the_same_vector_in_any_batch(self, encoder: OnnxEncoder) -> None:
        texts = [" ".join([EN, NL, OTHER][: 1 + i % 3] * (1 + i % 4)) for i in range(20)]
        together = encoder.encode_passages(texts)
        alone = np.concatenate([encoder.encode_passages([text]) for text in texts])
        assert (together * alone).sum(axis=1).min() >= 0.9999

    def test_the_fingerprint_follows_files_and_prefixes(self, encoder: OnnxEncoder, folder: Path) -> None:
        assert OnnxEncoder(folder).fingerprint == encoder.fingerprint
        say(folder, prefixes={"query": "q: ", "passage": "passage: "})
        assert OnnxEncoder(folder).fingerprint != encoder.fingerprint

    def test_neither_torch_nor_transformers_is_loaded(self) -> None:
        code = "import sys, embeddings.encoders.onnx as o; o.OnnxEncoder(); print({'torch', 'transformers'} & set(sys.modules))"
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
            env=dict(os.environ),
        )
        assert done.stdout.strip() == "set()"

    def test_the_folder_is_small(self) -> None:
        assert sum(file.stat().st_size for file in SHIPPED.iterdir()) <= 40_000_000


class TestHardTexts:
    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "x",
            "\x00" * 500,
            "\x00\x01\x1b",
            "𒀀𒀁𒀂" * 50,
            "ก" * 300,
            "\ud800",
            "a" * 2_000,
            "\ufdfa" * 200,
        ],
        ids=[
            "empty",
            "space",
            "one token",
            "NUL",
            "control",
            "cuneiform",
            "Thai",
            "surrogate",
            "long word",
            "ligature",
        ],
    )
    def test_gets_a_finite_vector_of_length_1(self, encoder: OnnxEncoder, text: str) -> None:
        vector = encoder.encode_queries([text])[0]
        assert np.isfinite(vector).all()
        assert abs(np.linalg.norm(vector) - 1) < 1e-5

    def test_control_characters_count_as_spaces(self, encoder: OnnxEncoder) -> None:
        with_nul, without = encoder.encode_queries(["meten\x00met licht", "meten met licht"])
        np.testing.assert_array_equal(with_nul, without)

    def test_a_hundred_thousand_words_are_cut(self, encoder: OnnxEncoder) -> None:
        words = "meten van trillingen in buizen " * 20_000
        long, cut = encoder.encode_passages([words, words[:4_000]])
        np.testing.assert_allclose(long, cut, atol=1e-5)

    def test_both_languages_in_one_sentence(self, encoder: OnnxEncoder) -> None:
        mixed, en, other = encoder.encode_queries(
            ["We willen trillingen meten along a pipeline met one cable.", EN, OTHER]
        )
        assert mixed @ en > mixed @ other + 0.3


class TestBrokenFolders:
    @pytest.mark.parametrize("file", [MANIFEST, GRAPH, TOKENIZER])
    def test_a_missing_file_is_named_with_the_remedy(self, folder: Path, file: str) -> None:
        (folder / file).unlink()
        with pytest.raises(
            EncoderError, match=rf"expected {file} in .*, found.*; restore .* docs/model-card"
        ):
            OnnxEncoder(folder)

    @pytest.mark.parametrize("file", [GRAPH, TOKENIZER])
    def test_a_wrong_checksum_is_shown_with_the_right_one(self, folder: Path, file: str) -> None:
        right = json.loads((folder / MANIFEST).read_text())["sha256"][file]
        damaged = bytearray((folder / file).read_bytes())
        damaged[len(damaged) // 2] ^= 1
        (folder / file).unlink()
        (folder / file).write_bytes(damaged)
        with pytest.raises(
            EncoderError, match=rf"{file} with SHA-256 {right}, found [0-9a-f]{{64}}; restore"
        ):
            OnnxEncoder(folder)

    def test_another_dimension_is_refused(self, folder: Path) -> None:
        say(folder, dim=256)
        with pytest.raises(
            EncoderError, match=r"expected vectors of 256 dimensions, .* found 384 in model.onnx; restore"
        ):
            OnnxEncoder(folder)

    def test_a_manifest_that_says_too_little_is_refused(self, folder: Path) -> None:
        (folder / MANIFEST).write_text('{"name": "x", "dim": 384}')
        with pytest.raises(
            EncoderError, match=r"expected name, dim, prefixes and sha256 in .*, found: KeyError"
        ):
            OnnxEncoder(folder)
