"""The overview: dataset versions with their review, the newest evaluation report."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse

from tunesmith.artifacts.artifact import MANIFEST_NAME, Artifact
from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.eval_report import EvalReport
from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError
from tunesmith.studio.desk import desk_of
from tunesmith.studio.opinions import Opinions

routes = APIRouter()
WHOLE_PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts"
)
"""Reports and cards hold their own scripts; without an origin these can reach nothing of the studio."""


class Version(NamedTuple):
    """A dataset version as the overview lists it."""

    dataset: Dataset
    made_at: datetime


@routes.get("/")
def overview(request: Request) -> HTMLResponse:
    """What there is in this workspace."""
    desk = desk_of(request)
    versions = [
        Version(Dataset.load(desk.workspace, made), _made_at(Dataset, desk.workspace, made))
        for made in reversed(Dataset.ids(desk.workspace))
    ]
    progress = None
    if versions:
        opinions = Opinions(desk.shelf(versions[0].dataset.id), desk.log)
        progress = opinions.progress(desk.reviewer_of(request))
    reports = EvalReport.ids(desk.workspace)
    facts = {
        "versions": versions,
        "progress": progress,
        "report": EvalReport.load(desk.workspace, reports[-1]) if reports else None,
    }
    return desk.page(request, "overview", facts)


@routes.get("/datasets/{dataset_id}")
def dataset(dataset_id: str, request: Request) -> HTMLResponse:
    """One version: where its rows came from and what was left out."""
    desk = desk_of(request)
    found = Dataset.load(desk.workspace, dataset_id)
    facts = {
        "dataset": found,
        "made_at": _made_at(Dataset, desk.workspace, dataset_id),
        "has_card": found.card_path(desk.workspace).is_file(),
    }
    return desk.page(request, "dataset", facts)


@routes.get("/datasets/{dataset_id}/card")
def card(dataset_id: str, request: Request) -> FileResponse:
    """A version's card, as `tunesmith curate card` wrote it."""
    workspace = desk_of(request).workspace
    return _whole_page(Dataset.load(workspace, dataset_id).card_path(workspace), "curate card")


@routes.get("/reports/{report_id}")
def report(report_id: str, request: Request) -> FileResponse:
    """An evaluation report, as `tunesmith evaluate` wrote it."""
    workspace = desk_of(request).workspace
    page = EvalReport.load(workspace, report_id).html_path(workspace)
    return _whole_page(page, "evaluate")


def _whole_page(page: Path, command: str) -> FileResponse:
    if not page.is_file():
        raise NotMadeYetError(f"{page.name} in {page.parent.name}", made_by=f"tunesmith {command}")
    return FileResponse(page, headers={"Content-Security-Policy": WHOLE_PAGE_POLICY})


def _made_at(kind: type[Artifact], workspace: Workspace, made: str) -> datetime:
    manifest = kind.folder_of(workspace, made) / MANIFEST_NAME
    return datetime.fromtimestamp(manifest.stat().st_mtime, UTC).astimezone()
