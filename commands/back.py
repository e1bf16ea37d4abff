"""Back to the page a small form was sent from."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme


def back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """To the path in the field `next`, if it is one of ours; else to the page named `otherwise`.

    Only what begins with a slash counts: anything else would be taken for the name of a page, and may be of none.
    """
    there = request.POST.get("next", "")
    if there.startswith("/") and url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        return HttpResponseRedirect(there)
    return redirect(otherwise)
