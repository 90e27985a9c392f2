"""Workspace: where a use case lives on disk; the only module that knows the paths inside it."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tunesmith.errors import BusyError, NotMadeYetError

RECIPE_NAME = "tunesmith.yaml"
HIDDEN_NAME = ".tunesmith"


class Workspace:
    """A folder with a `tunesmith.yaml`; everything tunesmith makes lies in `.tunesmith/` beside it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @classmethod
    def find(cls, start: Path) -> "Workspace":
        """The workspace that holds `start`: the nearest folder upwards with a recipe in it.

        Raises:
            NotMadeYetError: If no folder up to the root has one.
        """
        found = cls.around(start)
        if found is None:
            raise NotMadeYetError(f"{RECIPE_NAME} in {start} or above it", made_by="tunesmith init")
        return found

    @classmethod
    def around(cls, start: Path) -> "Workspace | None":
        """The workspace that holds `start`, if one does."""
        folders = [start.resolve(), *start.resolve().parents]
        roots = (folder for folder in folders if (folder / RECIPE_NAME).is_file())
        return next(map(cls, roots), None)

    @property
    def recipe_path(self) -> Path:
        """The one file the user writes."""
        return self.root / RECIPE_NAME

    @property
    def made(self) -> Path:
        """The folder of everything made; created on first use, with a .gitignore that keeps it out of git."""
        folder = self.root / HIDDEN_NAME
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            write_text(folder / ".gitignore", "*\n")
        return folder

    def folder(self, kind: str) -> Path:
        """The folder of all artifacts of one kind, made if needed."""
        path = self.made / kind
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def state_path(self) -> Path:
        """What each stage made last, and from what."""
        return self.made / "state.json"

    @property
    def mlflow_database(self) -> Path:
        """MLflow's SQLite file."""
        return self.folder("mlflow") / "mlflow.db"

    @property
    def mlflow_artifacts(self) -> Path:
        """Where MLflow keeps adapters, plots and reports."""
        return self.folder("mlflow") / "artifacts"

    def path_of(self, name: str) -> Path:
        """A path that the user wrote in the recipe, relative to the recipe."""
        return (self.root / name).resolve()

    def shown(self, path: Path) -> str:
        """The path as a user would write it: relative where it lies inside the workspace."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)


def cache_folder() -> Path:
    """Where base models made by tunesmith are kept between workspaces: `$TUNESMITH_CACHE` or `~/.cache/tunesmith`."""
    configured = os.environ.get("TUNESMITH_CACHE")
    folder = Path(configured) if configured else Path.home() / ".cache" / "tunesmith"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_text(path: Path, text: str) -> None:
    """Write a file so that a reader sees the old content or the new, never half of it."""
    with open_whole(path) as stream:
        stream.write(text)


@contextmanager
def open_whole(path: Path) -> Iterator[TextIO]:
    """A stream to write a file that appears only when it is complete, and not at all after an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def append_text(path: Path, text: str) -> None:
    """Append whole lines that are on the disk on return; writers in other processes never come in between.

    A crash leaves at most one torn line at the end; the next append closes it, and readers skip it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        size = stream.seek(0, os.SEEK_END)
        is_torn = size > 0 and os.pread(stream.fileno(), 1, size - 1) != b"\n"
        stream.write(b"\n" * is_torn + text.encode("utf-8"))
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def alone(path: Path, work: str) -> Iterator[None]:
    """Hold this lock file, so that one process at a time does the work; a process that dies lets go of it.

    Args:
        path: The file; it stays, and names the process that held it last.
        work: What the others are told is going on.

    Raises:
        BusyError: If another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip()
            raise BusyError(work, process=int(holder) if holder.isdigit() else None) from None
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield
