"""Wishes: what a request asks for beside its body."""

from __future__ import annotations

from starlette.requests import Request

from proxy.outputs.media import choose_media
from proxy.pipeline import Wish
from proxy.routes.addressed import selector_of
from proxy.tasks.options import read_options


def read_wish(request: Request) -> Wish:
    """Read path, query and headers.

    Raises:
        InvalidQuery: See `read_options`.
        NotAcceptable: See `choose_media`.
    """
    return Wish(
        selector=selector_of(request),
        options=read_options(request.query_params.multi_items()),
        media=choose_media(request.headers.get("accept")),
    )
