"""Escalation policies: what is in force for which election, a version, its draft from first word to publishing.

Published versions are everybody's to read: it is by them that people are measured. Drafts are of those who write them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commands.models import User
from elections.models import Election
from incidents import policies, policy_actions, policy_checks, rebasing
from incidents.choices import Act, Deed
from incidents.forms.policies import PolicyForm, typed
from incidents.models import Entry, Policy
from incidents.policy_content import Content
from incidents.turn import in_words
from incidents.views.policy_grid import LEVELS, grid
from incidents.views.timeline import post_of

NAMES = ("election", "based_on__election")


def person(request: HttpRequest, *, drafts: bool = False) -> User:
    """The signed-in person; with `drafts` only who may write them, else the page is not there."""
    user = request.user
    if not isinstance(user, User) or not user.current_postings or (drafts and not policy_actions.may_draft(user)):
        raise Http404
    return user


def version_of(user: User, code: str, number: int, *, is_draft: bool | None = None) -> Policy:
    """The version, if it is there for this person and in the wanted stage of its life; else 404."""
    found = policies.numbered(code, number)
    if found is None or (found.published_at is None and not policy_actions.may_draft(user)):
        raise Http404
    if is_draft is not None and (found.published_at is None) != is_draft:
        raise Http404
    return found


def authors(shown: Iterable[Policy]) -> dict[int, str]:
    """Who published each version or last changed each draft, as role @ unit and never by name; by its key."""
    named = {str(policy): policy for policy in shown}
    told: dict[int, str] = {}
    # Of a number given up and taken again the last entry counts.
    acts = Entry.objects.filter(incident=None, act=Act.POLICY, after__policy__in=list(named)).order_by("pk")
    for entry in acts.select_related("posting__command"):
        policy = named[entry.after["policy"]]
        if (entry.after["what"] == "published") == (policy.published_at is not None):
            told[policy.pk] = post_of(entry.posting) if entry.posting else _("A person")
    return told


# ---- The list ----


@dataclass(frozen=True)
class Version:
    """A version and who published it, or last changed it while it is a draft."""

    policy: Policy
    by: str


@dataclass(frozen=True)
class Group:
    """An election, or None for the general policy, with the version in force and all there are, the latest first."""

    election: Election | None
    in_force: Version | None
    versions: list[Version]
    drafts: list[Version]


@require_safe
def policy_list(request: HttpRequest) -> HttpResponse:
    """What is in force, since when and by whom, election by election; then the general one."""
    user, now = person(request), timezone.now()
    is_drafter = policy_actions.may_draft(user)
    found = Policy.objects.select_related(*NAMES).order_by("-number")
    listed = list(found if is_drafter else found.exclude(published_at=None))
    by, by_election = authors(listed), dict[int | None, list[Version]]()
    for policy in listed:
        by_election.setdefault(policy.election_id, []).append(Version(policy, by.get(policy.pk, _("A person"))))
    elections = list(Election.objects.shown())
    own = [e for e in elections if e.pk in by_election]
    groups = [_group(e, by_election.get(e.pk if e else None, []), now) for e in (*own, None)]
    without = [e for e in elections if e.pk not in by_election and not e.is_locked]
    context = {"groups": groups, "without": without, "is_drafter": is_drafter, "now": now}
    return render(request, "escalation/policies.html", context)


def _group(election: Election | None, versions: list[Version], now: dt.datetime) -> Group:
    published = [v for v in versions if v.policy.published_at is not None]
    in_force = next((v for v in published if v.policy.published_at and v.policy.published_at <= now), None)
    return Group(election, in_force, published, [v for v in versions if v.policy.published_at is None])


# ---- One version ----


@require_safe
def policy(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """What a version says, compared with the one in force or with the one it replaced."""
    user, now = person(request), timezone.now()
    shown = version_of(user, code, number)
    return render(request, "escalation/policy.html", _version(shown, user, now))


def _version(shown: Policy, user: User, now: dt.datetime) -> dict[str, Any]:
    content = policies.content_of(shown)
    base, in_force = _compared_with(shown, now), _in_force(shown, now)
    wrong = policy_checks.errors(content) if shown.published_at is None else {}
    doubts = policy_checks.warnings(content) if shown.published_at is None else {}
    waiting = rebasing.waiting(shown, user, now).count() if in_force and in_force.pk == shown.pk else 0
    return {
        "policy": shown,
        "by": authors([shown]).get(shown.pk, _("A person")),
        "code": policies.code_of(shown),
        "grid": grid(typed(content), policies.content_of(base) if base else None, errors=wrong, warnings=doubts),
        "base": base,
        "base_code": policies.code_of(base) if base else "",
        "is_in_force": in_force is not None and in_force.pk == shown.pk,
        "in_force": in_force,
        "mark": content.mark(),
        "is_drafter": policy_actions.may_draft(user),
        "is_own": shown.created_by_id == user.pk,
        "may_publish": policy_actions.may_publish(user, shown),
        "doubts": sum(len(sentences) for sentences in doubts.values()),
        "waiting": waiting,
        "elections": _elections_for(shown),
        "now": now,
    }


def _in_force(shown: Policy, now: dt.datetime) -> Policy | None:
    """The version in force in the same line: of the election, or the general one."""
    return Policy.objects.filter(election=shown.election, published_at__lte=now).order_by("-number").first()


def _compared_with(shown: Policy, now: dt.datetime) -> Policy | None:
    """A draft and an old version with the one in force, the one in force with what it replaced."""
    in_force = _in_force(shown, now)
    if in_force is not None and in_force.pk != shown.pk:
        return in_force
    if in_force is None and shown.election is not None:
        return Policy.objects.filter(election=None, published_at__lte=now).order_by("-number").first()
    return shown.based_on


def _elections_for(shown: Policy) -> list[Election]:
    """For whom a draft may be made from it, beside its own: from the general one for any election to come."""
    if shown.election is not None:
        return []
    return [e for e in Election.objects.shown() if not e.is_locked]


# ---- A draft ----


@require_POST
def draft(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Make a draft from a version, for its election or, from the general one, for the one chosen."""
    user = person(request, drafts=True)
    base = version_of(user, code, number)
    chosen = request.POST.get("election", "")
    election = base.election or Election.objects.filter(code=chosen).first()
    if election is None and chosen not in ("", policies.GENERAL):
        raise Http404
    try:
        made = policy_actions.draft(base, election=election, by=user, now=timezone.now())
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
        return redirect("escalation:policy", code=code, number=number)
    messages.success(request, _("The draft is made. Change what is to be different, and say why."))
    return redirect("escalation:policy_edit", code=policies.code_of(made), number=made.number)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The fields of a draft. What is wrong stands beside its value, and nothing typed is lost."""
    user, now = person(request, drafts=True), timezone.now()
    shown = version_of(user, code, number, is_draft=True)
    stored = policies.content_of(shown)
    form = PolicyForm(stored, request.POST if request.method == "POST" else None)
    meanwhile = None
    if form.is_bound and not form.errors:
        try:
            policy_actions.edit(shown, form.content, mark=form.mark, by=user, now=now)
            messages.success(request, _("The draft is kept."))
            return redirect("escalation:policy", code=code, number=number)
        except policy_actions.StaleDraft:
            meanwhile = policies.content_of(shown)
            form.mark = meanwhile.mark()
        except ValidationError as refused:
            form.take(refused)
    return _edit_page(request, shown, form, meanwhile, now)


def _edit_page(
    request: HttpRequest, shown: Policy, form: PolicyForm, meanwhile: Content | None, now: dt.datetime
) -> HttpResponse:
    base = _compared_with(shown, now)
    against = meanwhile or (policies.content_of(base) if base else None)
    warnings = form.warnings
    context = {
        "policy": shown,
        "code": policies.code_of(shown),
        "base": base,
        "form": form,
        "note": form.values.get("note", ""),
        "grid": grid(form.values, against, errors=form.errors, warnings=warnings, meant=form.content, is_form=True),
        "meanwhile": meanwhile is not None,
        "note_errors": form.errors.get("note", ()),
        "first_wrong": next((f"p-{place.replace('.', '-')}" for place in form.values if form.errors.get(place)), ""),
        "deeds": Deed.choices,
        "levels": LEVELS.items(),
    }
    status = 409 if meanwhile is not None else 422 if form.errors else 200
    return render(request, "escalation/policy_edit.html", context, status=status)


@require_POST
def publish(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """The second person puts a draft in force."""
    user = person(request, drafts=True)
    shown = version_of(user, code, number)
    try:
        policy_actions.publish(
            shown,
            mark=request.POST.get("mark", ""),
            by=user,
            now=timezone.now(),
            note=request.POST.get("note", "")[:500],
        )
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
    else:
        messages.success(request, _("Published. New cases run by this version from now on."))
    return redirect("escalation:policy", code=code, number=number)


@require_POST
def discard(request: HttpRequest, code: str, number: int) -> HttpResponse:
    """Give a draft up."""
    user = person(request, drafts=True)
    shown = version_of(user, code, number)
    try:
        policy_actions.discard(shown, mark=request.POST.get("mark", ""), by=user, now=timezone.now())
    except (ValidationError, PermissionDenied) as refused:
        messages.error(request, in_words(refused))
        return redirect("escalation:policy", code=code, number=number)
    messages.success(request, _("The draft is given up. The journal keeps what it said."))
    return redirect("escalation:policies")
