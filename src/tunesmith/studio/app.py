"""The studio's application, and the one place where its errors become pages with a status."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles

from tunesmith.core.loopback import LOOPBACK_HOSTS
from tunesmith.core.workspace import Workspace
from tunesmith.errors import TunesmithError
from tunesmith.studio import overview, review
from tunesmith.studio.desk import Desk, desk_of

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load: our own script and stylesheet, whatever a row of the data may try."""


def make_app(workspace: Workspace, reviewer: str) -> FastAPI:
    """The application for one workspace, in which `reviewer` decides unless a browser names somebody else."""
    app = FastAPI(title="tunesmith studio", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = Desk(workspace, reviewer)
    app.include_router(overview.routes)
    app.include_router(review.routes)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(TunesmithError, _on_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_surprise)
    app.add_middleware(BaseHTTPMiddleware, dispatch=_with_headers)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK_HOSTS)
    return app


async def _with_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    # The report page brings a policy of its own.
    response.headers.setdefault("Content-Security-Policy", POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    # A page is never shown again as it was before a decision; script and stylesheet may be kept and asked about.
    is_asset = request.url.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if is_asset else "no-store"
    return response


async def _on_error(request: Request, error: Any) -> HTMLResponse:
    # Whoever was refused a decision wants to go on with the row, not to look for it.
    back = f"/review?{request.url.query}" if request.url.path == "/review/decide" else ""
    facts = {"what": error.what, "fix": error.fix, "back": back}
    return desk_of(request).page(request, "error", facts, status=error.http_status)


async def _on_invalid(request: Request, error: Any) -> HTMLResponse:
    problems = [f"{problem['loc'][-1]}: {problem['msg']}" for problem in error.errors()]
    return _page(request, "; ".join(problems), 400)


async def _on_http(request: Request, error: Any) -> HTMLResponse:
    return _page(request, str(error.detail), error.status_code)


def _page(request: Request, what: str, status: int) -> HTMLResponse:
    facts = {"what": what, "fix": "begin at the overview again", "back": ""}
    return desk_of(request).page(request, "error", facts, status=status)


async def _on_surprise(request: Request, error: Any) -> HTMLResponse:
    # Starlette logs the traceback to the terminal; the page says where to look.
    fix = f"the terminal names the {type(error).__name__}"
    return await _on_error(request, TunesmithError("the studio failed", fix=fix))
