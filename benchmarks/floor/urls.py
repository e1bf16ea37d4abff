"""One INSERT, one page, and a sign of life."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone

from benchmarks.floor.models import Note


def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok")


def insert(request: HttpRequest) -> HttpResponse:
    """Read a form and write one row, which commits by itself."""
    data = request.POST
    note = Note._default_manager.create(
        place=data["commune"][:10], category=data["category"][:12], narrative=data["narrative"], at=timezone.now()
    )
    return HttpResponse(str(note.pk), status=201)


@login_required
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "floor/page.html")


urlpatterns = [
    path("healthz", healthz),
    path("insert", insert),
    path("signed-in/insert", login_required(insert)),
    path("page", page),
]
