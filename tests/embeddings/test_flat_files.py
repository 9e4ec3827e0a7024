"""The file of a flat index: damage of every kind is found, and writing is all or nothing."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from embeddings.vectors import VectorIndexError
from embeddings.vectors.flat import FlatIndex
from embeddings.vectors.sealed_file import TRAILER, write_sealed

DIM = 4


@pytest.fixture
def index() -> FlatIndex:
    index = FlatIndex(DIM)
    index.add(np.array([3, 1, 2]), np.eye(DIM, dtype=np.float32)[:3])
    return index


@pytest.fixture
def file(index, tmp_path) -> Path:
    index.save(tmp_path / "passages.faiss")
    return tmp_path / "passages.faiss"


def test_the_stored_vectors_come_back(index, file):
    loaded = FlatIndex.load(file, DIM)
    assert loaded.matrix().tolist() == np.eye(DIM)[[1, 2, 0]].tolist()
    assert loaded.vectors_of(np.array([3, 1, 3])).tolist() == np.eye(DIM)[[0, 1, 0]].tolist()
    assert loaded.vectors_of(np.array([], dtype=np.int64)).shape == (0, DIM)
    with pytest.raises(KeyError, match="expected ids that are held, found 0, 4"):
        loaded.vectors_of(np.array([0, 1, 4]))


def test_copies_are_handed_out(index):
    index.matrix()[:] = 0
    index.ids()[:] = 0
    assert index.ids().tolist() == [1, 2, 3]
    assert index.matrix().any()


def test_any_faiss_can_read_it(file):
    plain = faiss.read_index(str(file))
    assert isinstance(plain, faiss.IndexIDMap2)
    assert faiss.vector_to_array(plain.id_map).tolist() == [1, 2, 3]
    scores, ids = plain.search(np.eye(DIM, dtype=np.float32)[:1], 1)
    assert (ids[0, 0], scores[0, 0]) == (3, 1.0)


def test_every_truncation_is_found(file):
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(
            VectorIndexError, match=r"expected .* found .*; build the index again, or go back"
        ):
            FlatIndex.load(file)


def test_something_at_the_end_is_found(file):
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(VectorIndexError, match="cut short or of another format"):
        FlatIndex.load(file)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_changed_bit_is_found(file, data):
    whole = bytearray(file.read_bytes())
    changed = bytearray(whole)
    changed[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    file.write_bytes(changed)
    try:
        with pytest.raises(VectorIndexError, match=r"expected .* found .*; build the index again"):
            FlatIndex.load(file)
    finally:
        file.write_bytes(whole)


def test_a_changed_vector_is_named_by_its_checksum(file):
    changed = bytearray(file.read_bytes())
    changed[len(changed) - TRAILER.size - 1] ^= 1
    file.write_bytes(changed)
    with pytest.raises(
        VectorIndexError, match=r"expected sha256 [0-9a-f]{64} for .*, found [0-9a-f]{64}; build"
    ):
        FlatIndex.load(file)


def test_another_dimension(file):
    with pytest.raises(
        VectorIndexError, match=r"expected vectors of 384 numbers in .*, found 4: .* another encoder"
    ):
        FlatIndex.load(file, 384)


def test_another_kind_of_file(tmp_path):
    other = tmp_path / "other.faiss"
    unsealed = faiss.IndexFlatIP(DIM)
    unsealed.add(np.eye(DIM, dtype=np.float32))
    faiss.write_index(unsealed, str(other))
    with pytest.raises(VectorIndexError, match="the file is cut short or of another format"):
        FlatIndex.load(other)
    write_sealed(other, lambda path: faiss.write_index(faiss.IndexFlatIP(DIM), str(path)))
    with pytest.raises(VectorIndexError, match=r"expected an IndexIDMap2 in .*, found IndexFlat"):
        FlatIndex.load(other)
    write_sealed(other, lambda path: faiss.write_index(faiss.IndexIDMap2(faiss.IndexFlatL2(DIM)), str(path)))
    with pytest.raises(
        VectorIndexError, match=r"expected an IndexIDMap2 over an IndexFlatIP in .*, found one over a"
    ):
        FlatIndex.load(other)
    write_sealed(other, lambda path: path.write_bytes(b"no index") and None)
    with pytest.raises(VectorIndexError, match=r"expected a FAISS index in .*, found: "):
        FlatIndex.load(other)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(file):
    before = file.read_bytes()

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(VectorIndexError, match="No space left on device; make room or give write access"):
        write_sealed(file, fail)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def _limit_file_size() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_disk_that_fills_up_under_faiss(file):
    """A process that may write no more than 100 kB a file, as a stand-in for a full disk."""
    before = file.read_bytes()
    script = (
        "import sys, numpy as np, pathlib\n"
        "from embeddings.vectors import VectorIndexError\n"
        "from embeddings.vectors.flat import FlatIndex\n"
        "index = FlatIndex(4)\n"
        "index.add(np.arange(50_000), np.tile(np.eye(4, dtype=np.float32), (12_500, 1)))\n"
        "try:\n"
        "    index.save(pathlib.Path(sys.argv[1]))\n"
        "except VectorIndexError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(file)],
        preexec_fn=_limit_file_size,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("expected to write the vector index")
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == [file.name]
