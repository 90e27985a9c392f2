"""Artifact: a frozen record whose id is the hash of its content, and the shelf it is kept on."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Self

from pydantic import ValidationError

from tunesmith.core.section import Section
from tunesmith.core.workspace import Workspace, open_whole, write_text
from tunesmith.errors import DataError, UnknownNameError

MANIFEST_NAME = "manifest.json"


class Artifact(Section):
    """Something a stage made; kept as `.tunesmith/<kind>/<id>/manifest.json` with its files beside it."""

    kind: ClassVar[str]
    """Folder name of this kind, in the plural."""

    id: str
    """Kind's prefix and the first twelve hex digits of the content hash."""
    parents: tuple[str, ...] = ()
    """Ids of the artifacts this one was made from."""

    @classmethod
    def folder_of(cls, workspace: Workspace, artifact_id: str) -> Path:
        """Where the artifact with this id lies, or would lie."""
        return workspace.folder(cls.kind) / artifact_id

    def folder(self, workspace: Workspace) -> Path:
        """Where this artifact's files lie."""
        return self.folder_of(workspace, self.id)

    def save(self, workspace: Workspace) -> Self:
        """Write the manifest, last of all, so that an artifact with a manifest is complete."""
        write_text(self.folder(workspace) / MANIFEST_NAME, self.model_dump_json(indent=2) + "\n")
        return self

    @classmethod
    def load(cls, workspace: Workspace, artifact_id: str) -> Self:
        """The artifact with this id.

        Raises:
            UnknownNameError: If there is none.
            DataError: If its manifest is not one this version can read.
        """
        path = cls.folder_of(workspace, artifact_id) / MANIFEST_NAME
        if not path.is_file():
            raise UnknownNameError(f"artifact in {cls.kind}", artifact_id, cls.ids(workspace))
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except ValidationError as error:
            raise DataError(
                f"{workspace.shown(path)} is not a manifest this version reads: {error.errors()[0]['msg']}",
                fix=f"delete {workspace.shown(path.parent)} and make it again",
            ) from error

    @classmethod
    def ids(cls, workspace: Workspace) -> list[str]:
        """Ids of all complete artifacts of this kind, oldest first."""
        found = workspace.folder(cls.kind).glob(f"*/{MANIFEST_NAME}")
        return [
            path.parent.name for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)
        ]


def write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    """Write JSON Lines, atomically."""
    with open_whole(path) as stream:
        stream.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def read_lines(path: Path) -> list[dict[str, object]]:
    """Read JSON Lines that tunesmith itself wrote."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
