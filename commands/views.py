"""Account pages: signing in and out, language and appearance, password, API tokens. Thin: writing is in `actions`."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from commands import actions, demo
from commands.back import back
from commands.forms import PasswordForm, PreferencesForm, SignInForm, TokenForm, pause_minutes
from commands.models import ApiToken, User
from commands.sign_in_limits import paused_until, remember_device

#: Kept in the browser where a language was chosen at the door: it becomes that of whoever signs in there, until
#: somebody signed in chooses for their own account.
CHOSEN = "language_chosen"
#: How often this session gave a wrong password for the present one.
TRIES = "password_tries"
YEAR = 365 * 24 * 3600


def _person(request: HttpRequest) -> User:
    # LoginRequiredMiddleware stands before every view that calls this.
    assert isinstance(request.user, User)  # noqa: S101
    return request.user


def _remember(response: HttpResponse, name: str, value: str, *, http_only: bool = True) -> None:
    response.set_cookie(
        name, value, max_age=YEAR, secure=settings.LANGUAGE_COOKIE_SECURE, httponly=http_only, samesite="Lax"
    )


# ---- Signing in and out ----


@method_decorator([login_not_required, sensitive_post_parameters("password")], name="dispatch")
class SignIn(LoginView):
    """The door: language and appearance can be chosen before; a demonstration system lists its accounts."""

    template_name = "account/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        more = {"demo_accounts": demo.accounts(timezone.now()), "demo_password": demo.PASSWORD}
        return super().get_context_data(**kwargs) | more

    def form_valid(self, form: Any) -> HttpResponse:
        chosen = self.request.COOKIES.get(CHOSEN, "")
        response = super().form_valid(form)
        user = _person(self.request)
        if chosen in dict(settings.LANGUAGES) and chosen != user.language:
            actions.set_language(user, chosen)
        _remember(response, settings.LANGUAGE_COOKIE_NAME, user.language)
        remember_device(response, user.get_username())
        return response


def sign_in_paused(
    request: HttpRequest, original_response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Too many tries: a kind page that says when to try again. Called by django-axes."""
    now = timezone.now()
    name = {"username": (credentials or {}).get("username") or request.POST.get("username", "")}
    tried = [a.attempt_time for found in AxesDatabaseHandler().get_user_attempts(request, name) for a in found]
    minutes = pause_minutes()
    ends = [max(tried) + dt.timedelta(minutes=minutes)] if tried else []
    if (slow := paused_until(request, name["username"])) is not None:
        ends.append(slow)
    again_at = max(ends, default=now + dt.timedelta(minutes=minutes))
    wait = max(math.ceil((again_at - now).total_seconds()), 60)
    context = {"again_at": again_at, "minutes": math.ceil(wait / 60)}
    response = render(request, "account/paused.html", context, status=429)
    response["Retry-After"] = str(wait)
    return response


# ---- Language and appearance ----


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Change the language: of the account where signed in, and of this browser."""
    chosen = request.POST.get("language", "")
    if chosen not in dict(settings.LANGUAGES):
        return back(request, "start")
    response = back(request, "start")
    if isinstance(request.user, User):
        actions.set_language(request.user, chosen)
        response.delete_cookie(CHOSEN, samesite="Lax")
    else:
        _remember(response, CHOSEN, chosen)
    _remember(response, settings.LANGUAGE_COOKIE_NAME, chosen)
    return response


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Change light and dark: of the account where signed in, and of this browser."""
    chosen = request.POST.get("theme", "")
    response = back(request, "start")
    if chosen in actions.THEMES:
        if isinstance(request.user, User):
            actions.set_theme(request.user, chosen)
        _remember(response, "theme", chosen)
    return response


# ---- Preferences and password ----


def _preferences_page(request: HttpRequest, **forms: Form) -> HttpResponse:
    user = _person(request)
    tokens = actions.living_tokens(user, timezone.now())
    context = {"form": PreferencesForm.of(user), "password_form": PasswordForm(user, tokens=tokens)} | forms
    wrong = any(f.is_bound for f in forms.values())
    return render(request, "account/preferences.html", context, status=400 if wrong else 200)


def preferences(request: HttpRequest) -> HttpResponse:
    """Language and appearance of the person."""
    form = PreferencesForm(request.POST or None)
    if request.method != "POST":
        return _preferences_page(request)
    if not form.is_valid():
        return _preferences_page(request, form=form)
    user = _person(request)
    actions.set_language(user, form.cleaned_data["language"])
    actions.set_theme(user, form.cleaned_data["theme"])
    with override(user.language):
        messages.success(request, _("Your preferences are kept."))
    response = redirect("account:preferences")
    response.delete_cookie(CHOSEN, samesite="Lax")
    _remember(response, settings.LANGUAGE_COOKIE_NAME, user.language)
    return response


def _too_many_tries(request: HttpRequest) -> bool:
    tries = request.session[TRIES] = request.session.get(TRIES, 0) + 1
    return bool(tries >= settings.AXES_FAILURE_LIMIT)


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    """A new password; this session stays signed in, others end. Too many wrong old ones end this one."""
    user, now = _person(request), timezone.now()
    form = PasswordForm(user, request.POST, tokens=actions.living_tokens(user, now))
    if not form.is_valid():
        if form.has_error("old_password", "password_incorrect") and _too_many_tries(request):
            # Whoever found a device signed in must not find out its password too.
            logout(request)
            return redirect("account:sign_in")
        return _preferences_page(request, password_form=form)
    request.session.pop(TRIES, None)
    actions.set_password(user, form.cleaned_data["new_password1"])
    update_session_auth_hash(request, user)
    messages.success(request, _("The new password holds. Other devices are signed out."))
    _say_tokens(request, user, form.cleaned_data.get("revoke_tokens", False), now)
    return redirect("account:preferences")


def _say_tokens(request: HttpRequest, user: User, revoke: bool, now: dt.datetime) -> None:
    """Revoke the person's API tokens where asked to; say what became of them, where there are any."""
    if revoke and (n := actions.revoke_tokens(user, now=now)):
        text = ngettext("%(n)d API token was revoked.", "%(n)d API tokens were revoked.", n)
        messages.success(request, text % {"n": n})
    elif n := actions.living_tokens(user, now):
        text = ngettext("%(n)d API token still works.", "%(n)d API tokens still work.", n)
        messages.info(request, text % {"n": n})


# ---- API tokens ----


@require_GET
def tokens(request: HttpRequest) -> HttpResponse:
    """The person's tokens, and a form for a new one."""
    return _tokens_page(request, TokenForm())


def _tokens_page(request: HttpRequest, form: Form, secret: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    mine = ApiToken.objects.filter(user=_person(request))
    context = {
        "form": form,
        "secret": secret,
        "living": [t for t in mine if t.is_live(now)],
        "ended": [t for t in mine if not t.is_live(now)],
    }
    response = render(request, "account/tokens.html", context, status=status)
    if secret:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    """A new token, shown in this one answer and never again."""
    form, now = TokenForm(request.POST), timezone.now()
    if form.is_valid():
        until = form.expires_at(timezone.get_current_timezone())
        try:
            _row, secret = actions.create_token(
                _person(request), name=form.cleaned_data["name"], now=now, expires_at=until
            )
            return _tokens_page(request, TokenForm(), secret=secret)
        except ValidationError as refused:
            form.add_error(None, refused)
    return _tokens_page(request, form, status=400)


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """The token opens nothing any more."""
    token = actions.revoke_token(get_object_or_404(ApiToken, pk=pk, user=_person(request)), now=timezone.now())
    messages.success(request, _("«%(name)s» opens nothing any more.") % {"name": token.name})
    return HttpResponseRedirect(resolve_url("account:tokens"))
