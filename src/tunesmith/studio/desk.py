"""Desk: what all pages share: the workspace, the review log, opened dataset versions, the templates."""

import threading
from collections.abc import Mapping
from urllib.parse import quote, unquote

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from tunesmith.artifacts.dataset import Dataset
from tunesmith.artifacts.review import ReviewLog
from tunesmith.core.workspace import Workspace
from tunesmith.errors import NotMadeYetError
from tunesmith.studio import prose
from tunesmith.studio.shelf import Shelf

REVIEWER_COOKIE = "reviewer"
NAVIGATION = (("Overview", "/"), ("Review", "/review"))
"""Pages that every page links to; a page that is added later needs a line here."""


class Desk:
    """One workspace in a browser."""

    def __init__(self, workspace: Workspace, reviewer: str) -> None:
        """`reviewer` is who decides until a browser names somebody else."""
        self.workspace, self.reviewer = workspace, reviewer
        self.log = ReviewLog(workspace)
        self._shelves: dict[str, Shelf] = {}
        self._shown: set[tuple[str, str]] = set()
        self._opening = threading.Lock()
        self._templates = Environment(
            loader=PackageLoader("tunesmith", "studio/templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["percent"] = lambda value: f"{100 * value:.1f} %"
        self._templates.filters["count"] = lambda value: f"{value:,}"
        self._templates.filters["blocks"] = prose.blocks
        self._templates.tests |= {
            "code": prose.is_code,
            "data": prose.is_data,
            "long": prose.is_long,
        }

    def newest_dataset(self) -> str:
        """Id of the version that was made last.

        Raises:
            NotMadeYetError: If there is none.
        """
        ids = Dataset.ids(self.workspace)
        if not ids:
            raise NotMadeYetError("dataset", made_by="tunesmith curate")
        return ids[-1]

    def shelf(self, dataset_id: str, *, is_quiet: bool = True) -> Shelf:
        """A version's rows; opened once, for a version never changes.

        Args:
            dataset_id: Which version.
            is_quiet: Show no progress in the terminal.

        Raises:
            UnknownNameError: If there is no such version.
        """
        with self._opening:
            if dataset_id not in self._shelves:
                dataset = Dataset.load(self.workspace, dataset_id)
                self._shelves[dataset_id] = Shelf(dataset, self.workspace, is_quiet=is_quiet)
            return self._shelves[dataset_id]

    def show_others(self, reviewer: str, key: str) -> None:
        """Remember that a reviewer now sees what others decided about a row."""
        self._shown.add((reviewer, key))

    def has_seen_others(self, reviewer: str, key: str) -> bool:
        """Whether they have, since the studio was started."""
        return (reviewer, key) in self._shown

    def reviewer_of(self, request: Request) -> str:
        """Who sits before this browser."""
        return unquote(request.cookies.get(REVIEWER_COOKIE, "")) or self.reviewer

    def page(
        self, request: Request, name: str, facts: Mapping[str, object], *, status: int = 200
    ) -> HTMLResponse:
        """A page made from `templates/<name>.html.j2`; every text from outside is escaped."""
        html = self._templates.get_template(f"{name}.html.j2").render(
            facts,
            title=self.workspace.root.name,
            navigation=NAVIGATION,
            path=request.url.path,
            address=f"{request.url.path}?{request.url.query}",
            reviewer=self.reviewer_of(request),
        )
        return HTMLResponse(html, status_code=status)


def desk_of(request: Request) -> Desk:
    """The desk that the application was made with."""
    desk: Desk = request.app.state.desk
    return desk


def cookie_value(name: str) -> str:
    """A reviewer's name as a cookie can hold it."""
    return quote(name, safe="")
