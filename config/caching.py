"""What browsers and proxies may keep of our answers where the view says nothing."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


def private_unless_said(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """`private, no-store` on every answer that has no Cache-Control of its own.

    A district's computer is shared: after signing out, the back button must ask us and not the disk. It costs one
    request for each step back; what was being written is kept by the pages themselves (static/js/report.js). Files
    with hashed names never come here: WhiteNoise stands before and marks them immutable.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return answer
