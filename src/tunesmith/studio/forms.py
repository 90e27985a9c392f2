"""What a browser posts: read within limits, and only from our own pages."""

from urllib.parse import parse_qs

from fastapi import Request

from tunesmith.errors import ForeignOriginError, RequestError, RequestTooLargeError

MOST_BYTES = 1_048_576
"""Largest form; an edited answer is far smaller."""


async def posted(request: Request) -> dict[str, str]:
    """The fields of a form that one of our own pages sent.

    Raises:
        ForeignOriginError: If another page sent it: a browser always says which, and no page can make it lie.
        RequestTooLargeError: If it is larger than `MOST_BYTES`.
        RequestError: If it is no form.
    """
    own = f"{request.url.scheme}://{request.url.netloc}"
    origin = request.headers.get("origin")
    if origin != own:
        raise ForeignOriginError(origin, expected=own)
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise RequestTooLargeError("form", size=len(body), limit=MOST_BYTES, unit="bytes")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError as error:
        raise RequestError(
            f"the body is no form: {error}", fix="send it as a browser does"
        ) from error
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
