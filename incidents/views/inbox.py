"""The person's notices: unread first, each leading to its case."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from commands.models import User
from incidents.delivery import drills
from incidents.delivery import inbox as box

PAGE = 30


def _person(request: HttpRequest) -> User:
    # LoginRequiredMiddleware stands before every view of this module.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    """The list."""
    page = Paginator(box.notices_of(_person(request)), PAGE).get_page(request.GET.get("page"))
    return render(request, "incidents/inbox.html", {"page": page, "lines": box.lines(page)})


@require_POST
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one as read and go to its case."""
    user = _person(request)
    notice = get_object_or_404(box.notices_of(user), pk=pk)
    box.mark_read(user, timezone.now(), pk=notice.pk)
    if notice.kind == drills.KIND:
        return redirect("escalation:drill", notice.entry.after["drill"])
    return redirect(notice.incident if notice.incident else "incidents:inbox")


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark everything as read."""
    box.mark_read(_person(request), timezone.now())
    return redirect("incidents:inbox")
