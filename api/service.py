"""What a running server holds: the records, the live pipeline, and the thread that prepares both.

The thread imports the demonstration collection on a first start, brings the index up to date, and deletes needs
whose time is up. Needs are answered from the moment that any generation can be opened.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from api import demonstration
from api.accounts.housekeeping import forget_old
from api.accounts.openid_client import open_provider
from api.accounts.sessions import Lifetime
from api.errors import expected_errors, message_of
from api.logs import places
from api.mail.sender import Outgoing, Sender
from api.progress import Board, Report, State
from api.secret import Secret, load_secret
from api.settings import Settings
from corpora.connectors.collection import import_collection
from corpora.database import open_engine, reading, settle, unit_of_work, upgrade
from corpora.need_store import Needs
from corpora.store import Records
from embeddings.cache import VectorCache
from embeddings.encoders import Encoder, open_encoder
from embeddings.seed import SeedError, plant
from matcher.generations import Generation, GenerationWatcher
from matcher.indexing import build_index
from matcher.live import live_name, rolled_back_from
from matcher.locks import LockError, hold
from matcher.pipeline import Pipeline

log = structlog.get_logger(__name__)

EXPIRY_INTERVAL = timedelta(hours=24)
BUSY_RETRY_S = 2.0
"""How long to wait where another process imports or indexes."""
FAILURE_RETRY_S = 30.0
"""How long to wait after a failure that a person may mend meanwhile, such as a full disk."""

WARM_UP = ("Wie kan ons helpen met een technische vraag?", "Who can help us with a technical question?")
"""Answered before anybody asks: what is loaded at first use (words, sentence rules, taxonomy) took 6 s once."""


class NotReadyError(Exception):
    """Needs cannot be answered yet; `state` tells how far it is."""

    def __init__(self, state: State) -> None:
        super().__init__(state.problem or state.stage)
        self.state = state


class _StoppedError(Exception):
    """The server ends while work is under way."""


class Service:
    """The one service of a server. `start` and `stop` are called once each; all else from any thread."""

    def __init__(
        self,
        settings: Settings,
        progress: Report | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.settings = settings
        self.now = clock
        self.session_life = Lifetime(
            timedelta(hours=settings.session_idle_hours), timedelta(days=settings.session_days)
        )
        self.sender = Sender(self._outgoing)
        self.openid = open_provider(settings, clock)
        self._board = Board(progress)
        self._engine: Engine | None = None
        self._secret: Secret | None = None
        self._encoder: Encoder | None = None
        self._watcher: GenerationWatcher[Pipeline] | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="preparation", daemon=True)

    def start(self) -> None:
        """Begin to prepare; returns at once."""
        self._thread.start()
        if self.settings.sends_mail:
            self.sender.start()

    def stop(self) -> None:
        """End the work that is under way, and let go of everything."""
        self._ending.set()
        self.sender.stop()
        self._thread.join()
        if self._watcher is not None:
            self._watcher.stop()
        if self._engine is not None:
            self._engine.dispose()

    @property
    def state(self) -> State:
        """How far the preparation is."""
        return self._board.state

    def pipeline(self) -> Pipeline:
        """The pipeline on the live generation.

        Raises:
            NotReadyError: no generation is open yet.
        """
        pipeline = self._watcher.current() if self._watcher is not None else None
        if pipeline is None:
            raise NotReadyError(self.state)
        return pipeline

    @property
    def ready(self) -> bool:
        """Whether needs can be answered."""
        return self._watcher is not None and self._watcher.current() is not None

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on the records as they are now, to read.

        Raises:
            NotReadyError: the database is not open yet.
        """
        with reading(self._opened()) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session on the records in one unit of work; keep it short.

        Raises:
            NotReadyError: the database is not open yet.
        """
        with unit_of_work(self._opened()) as session:
            yield session

    def settle(self) -> None:
        """Let nothing of what was erased stand in the log of the database."""
        settle(self._opened())

    @property
    def secret(self) -> Secret:
        """The secret of the installation.

        Raises:
            NotReadyError: the data folder has not been looked into yet.
        """
        if self._secret is None:
            raise NotReadyError(self.state)
        return self._secret

    def _outgoing(self) -> Outgoing | None:
        if self._engine is None or self._secret is None:
            return None
        return Outgoing(self.settings, self._secret, self.writing, self.now)

    def erased(self) -> frozenset[str]:
        """Ids of profiles that may not be shown, whatever the index still holds."""
        with self.reading() as session:
            return Records(session).tombstones()

    @property
    def fictional(self) -> bool:
        """Whether all that is loaded is the demonstration collection."""
        pipeline = self._watcher.current() if self._watcher is not None else None
        ids = pipeline.generation.profiles.keys() if pipeline is not None else ()
        return bool(ids) and demonstration.profile_ids().issuperset(ids)

    def _opened(self) -> Engine:
        if self._engine is None:
            raise NotReadyError(self.state)
        return self._engine

    def _run(self) -> None:
        prepared = False
        expiry_at = datetime.now(UTC)
        while not self._ending.is_set():
            wait_s = 60.0
            try:
                if not prepared:
                    self._prepare()
                    prepared = True
                    expiry_at = datetime.now(UTC) + EXPIRY_INTERVAL
                elif datetime.now(UTC) >= expiry_at:
                    self._delete_expired()
                    expiry_at = datetime.now(UTC) + EXPIRY_INTERVAL
            except _StoppedError:
                return
            except LockError as error:
                self._board.fail(str(error))
                wait_s = BUSY_RETRY_S
            except expected_errors() as error:
                log.error("preparation_failed", problem=message_of(error), retry_s=FAILURE_RETRY_S)
                self._board.fail(message_of(error))
                wait_s = FAILURE_RETRY_S
            except Exception as error:  # noqa: BLE001 - the thread must outlive any fault, and tell of it
                log.error(
                    "preparation_failed",
                    error=type(error).__name__,
                    at=places(error),
                    retry_s=FAILURE_RETRY_S,
                )
                self._board.fail(f"unexpected {type(error).__name__}; see the log of the server")
                wait_s = FAILURE_RETRY_S
            self._ending.wait(wait_s)

    def _prepare(self) -> None:
        if self._engine is None:
            engine = open_engine(self.settings.database)
            upgrade(engine)
            self._secret = load_secret(self.settings)
            self._engine = engine
        self._delete_expired()
        self._report("encoder", 0, 0)
        encoder = self._encoder = self._encoder or open_encoder(self.settings.encoder)
        if live_name(self.settings.data) is not None:
            self._watch(encoder)
        engine = self._opened()
        with hold(self.settings.data, "write") as lock:
            if self.settings.demonstration and self._is_empty():
                with demonstration.collection_folder() as folder:
                    import_collection(engine, folder, self._report)
                self._plant_seed(encoder)
            if not self._kept_back():
                build_index(engine, self.settings.data, encoder, self._report, lock=lock)
        self._watch(encoder)

    def _kept_back(self) -> bool:
        """Whether somebody went back to the generation that is live, and it can answer: then it is left alone."""
        left = rolled_back_from(self.settings.data)
        opened = self._watcher.name if self._watcher is not None else None
        if left is None or opened != live_name(self.settings.data):
            return False
        log.warning(
            "index_rolled_back", left=left, advice="kennismatch index brings it in line with the records"
        )
        return True

    def _plant_seed(self, encoder: Encoder) -> None:
        """Take over the vectors that come with the demonstration, so that a first start is quick."""
        seed = demonstration.seed()
        if seed is not None:
            try:
                with VectorCache(self.settings.vector_cache) as cache:
                    plant(seed, cache, encoder.fingerprint)
            except SeedError as error:
                log.warning("seed_not_usable", problem=str(error))

    def _watch(self, encoder: Encoder) -> None:
        """Answer needs from the live generation, and from each later one."""
        if self._watcher is None:
            watcher = GenerationWatcher(self.settings.data, lambda folder: self._open(folder, encoder))
            watcher.start()
            self._watcher = watcher

    def _open(self, folder: Path, encoder: Encoder) -> Pipeline:
        generation = Generation.open(folder, expected_fingerprint=encoder.fingerprint, erased=self.erased)
        pipeline = Pipeline(generation, encoder, excluded=self.erased)
        for text in WARM_UP:
            pipeline.match(text)
        return pipeline

    def _is_empty(self) -> bool:
        with self.reading() as session:
            records = Records(session)
            return records.count() == 0 and not records.tombstones()

    def _delete_expired(self) -> None:
        with self.writing() as session:
            n_deleted = Needs(session).delete_expired(datetime.now(UTC))
            forget_old(session, self.session_life, self.now())
        if n_deleted:
            log.info("expired_needs_deleted", n=n_deleted)

    def _report(self, stage: str, done: int, total: int) -> None:
        if self._ending.is_set():
            raise _StoppedError
        self._board.report(stage, done, total)
