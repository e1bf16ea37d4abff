"""Parts every page is made of. No rules of the product: a part shows what it is given.

Listed with their parameters in templates/components/README.html. All of them are built in: no {% load %} needed.
"""

from __future__ import annotations

import datetime as dt
import functools
from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.template.context import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commands.models import SecurityCommand
from elections.models import Jurisdiction
from incidents.choices import MAIN_STATES, Classification, Severity, State, Verification
from incidents.templatetags import _changes, _time
from incidents.templatetags._icons import ICONS, RINGS, SHAPES

register = template.Library()

register.filter("length_of_time", _time.length)
register.filter("clock_time", _time.clock_time)
register.filter("day", _time.day)
register.filter("full_day", _time.full_day)
register.filter("moment", _time.moment)
register.filter("dated", _time.dated)
register.filter("since", _time.since)
register.filter("stretch", _time.stretch)


@register.filter
def grouped(number: int) -> str:
    """A whole number with its thousands apart: 1,154."""
    return f"{number:,}"


def _known(markup: str) -> SafeString:
    return mark_safe(markup)  # noqa: S308  constants of this package, never what a person typed


# ---- Drawings ----


@register.simple_tag
@functools.lru_cache(maxsize=512)
def icon(name: str, css: str = "") -> SafeString:
    """A line icon; decorative, so the word stands beside it or in an aria-label."""
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" aria-hidden="true">{}</svg>',
        f" {css}" if css else "",
        _known(ICONS[name]),
    )


@register.simple_tag
@functools.lru_cache(maxsize=32)
def shape(severity: str) -> SafeString:
    """The shape of a severity alone, where the word stands elsewhere."""
    code = severity if severity in SHAPES else Severity.UNRATED
    return format_html(
        '<svg class="shape shape--{}" viewBox="0 0 18 18" aria-hidden="true">{}</svg>', _css(code), _known(SHAPES[code])
    )


@register.simple_tag
def bar(percent: float, css: str = "clock__bar") -> SafeString:
    """A horizontal bar, 0 to 100 per cent of its width; `css` is clock__bar, progress__bar, cellbar or full__bar."""
    width = f"{min(max(float(percent), 0), 100):.4g}%"
    return format_html('<svg class="{}" aria-hidden="true"><rect width="{}" height="100%" rx="2"/></svg>', css, width)


# ---- Five axes, five grammars ----


def _css(severity: str) -> str:
    return "none" if severity == Severity.UNRATED else severity


@register.simple_tag
def severity(code: str) -> SafeString:
    """How serious: a filled shape in a pill."""
    return _severity(code, get_language())


@functools.lru_cache(maxsize=64)
def _severity(code: str, _language: str | None) -> SafeString:
    # Once in each language: a list shows twenty-five of them.
    return format_html('<span class="sev sev--{}">{}{}</span>', _css(code), shape(code), Severity(code).label)


@register.simple_tag
def state(code: str) -> SafeString:
    """What is being done: a bar of six steps, dashed for the side states."""
    return _state(code, get_language())


@functools.lru_cache(maxsize=64)
def _state(code: str, _language: str | None) -> SafeString:
    if code in MAIN_STATES:
        at = MAIN_STATES.index(State(code))
        steps = "".join(f'<i class="{"on" if n < at else "now" if n == at else ""}"></i>' for n in range(6))
        pips = f'<span class="pips" aria-hidden="true">{steps}</span>'
    else:
        pips = f'<span class="pips pips--side" aria-hidden="true">{"<i></i>" * 6}</span>'
    return format_html('<span class="state">{}{}</span>', _known(pips), State(code).label)


@register.simple_tag
def verification(code: str) -> SafeString:
    """Is it true: a ring."""
    css, drawing = RINGS[code]
    return format_html(
        '<span class="ring ring--{}"><svg viewBox="0 0 18 18" aria-hidden="true" stroke-linecap="round"'
        ' stroke-linejoin="round">{}</svg>{}</span>',
        css,
        _known(drawing),
        Verification(code).label,
    )


#: The letters of the taxonomy, the same in both languages.
_LETTERS = {"undetermined": "?", "electoral": "E", "ordinary": "O", "hazard": "H"}


@register.simple_tag
def classification(code: str) -> SafeString:
    """What NEC says it is: a letter in a box, dashed while undetermined."""
    return format_html(
        '<span class="class class--{}"><i aria-hidden="true">{}</i>{}</span>',
        code,
        _LETTERS[code],
        Classification(code).label,
    )


@register.simple_tag
def rung(step: int | None, label: str = "") -> SafeString:
    """Who holds it: rising steps, 0 post to 3 PSC; None for a body beside the ladder (a shield)."""
    return format_html('<span class="rung">{}<span>{}</span></span>', _steps(step), label)


@functools.lru_cache(maxsize=8)
def _steps(step: int | None) -> SafeString:
    if step is None:
        return icon("shield")
    steps = "".join(f'<i class="{"on" if n < step else "now" if n == step else ""}"></i>' for n in range(4))
    return format_html('<span class="rung__steps" aria-hidden="true">{}</span>', _known(steps))


@register.simple_tag
def owner(command: SecurityCommand) -> SafeString:
    """The command that answers for the case, with its steps."""
    return rung(command.rung, command.name)


# ---- Time ----


@register.simple_tag
def countdown(
    deadline: dt.datetime | None,
    start: dt.datetime | None,
    now: dt.datetime,
    what: str = "",
    css: str = "",
) -> SafeString:
    """Time left in words and as a bar: `deadline`, when its time began (or None), the page's `now`, what is due.

    static/js/shell.js keeps it current from the data attributes; without script it stays as of the page.
    """
    if deadline is None:
        return SafeString("")
    late, soon = now >= deadline, _time.is_soon(deadline, start, now)
    classes = f"clock{' is-late' if late else ' is-soon' if soon else ''}{f' {css}' if css else ''}"
    return format_html(
        '<div class="{}" data-deadline="{}"{}><time class="clock__t" datetime="{}" title="{}">{}</time>{}{}</div>',
        classes,
        deadline.isoformat(),
        format_html(' data-start="{}"', start.isoformat()) if start else "",
        deadline.isoformat(),
        _time.moment(deadline, now),
        _time.remaining(deadline, now),
        format_html('<span class="clock__what">{}</span>', what) if what else "",
        bar(_time.share_left(deadline, start, now)) if start or late else "",
    )


@register.simple_tag
def when(value: dt.datetime | None, now: dt.datetime | None = None) -> SafeString:
    """A moment as short as it can be understood, in a <time>."""
    if value is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), _time.moment(value), _time.moment(value, now)
    )


# ---- Places ----


@register.filter
def place_path(place: Jurisdiction | None, levels: int = 3) -> str:
    """The place and what it is part of, smallest first: "Leay Bour, Tram Kak, Takeo". The country is left out."""
    names: list[str] = []
    while place is not None and len(names) < levels and len(place.pcode) > 2:
        names.append(place.name)
        place = place.parent
    return _(", ").join(names)


# ---- Journal ----


@register.inclusion_tag("components/diff.html")
def diff(entry: Any, names: dict[str, str] | None = None) -> dict[str, Any]:
    """What an entry changed: before struck through, after bold. `names` puts words for stored keys ("owner:12")."""
    return {"changes": _changes.changes(entry, names or {})}


# ---- Blocks ----


@register.simple_block_tag
def banner(content: str, kind: str = "info", role: str = "") -> SafeString:
    """{% banner "warn" %}…{% endbanner %}: a fact about this page; info, warn, danger or offline."""
    drawing = {"info": "info", "offline": "offline"}.get(kind, "warning")
    return format_html(
        '<div class="banner banner--{}"{}>{}<div class="grow">{}</div></div>',
        kind,
        format_html(' role="{}"', role) if role else "",
        icon(drawing),
        content,
    )


@register.simple_block_tag
def nothing(content: str, title: str, level: int = 2) -> SafeString:
    """{% nothing "No open case" %}<p>why, what it does not mean</p><a …>one action</a>{% endnothing %}"""
    return format_html('<div class="empty">{}<h{}>{}</h{}>{}</div>', _known(EMPTY_ART), level, title, level, content)


EMPTY_ART = (
    '<svg class="empty__art" viewBox="0 0 112 72" aria-hidden="true" fill="none" stroke="currentColor"'
    ' stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round"><path d="M4 66h104" opacity=".35"/>'
    '<rect x="10" y="46" width="18" height="20" rx="3"/>'
    '<rect x="38" y="31" width="18" height="35" rx="3" opacity=".7"/>'
    '<rect x="66" y="16" width="18" height="50" rx="3" opacity=".45" stroke-dasharray="4 5"/></svg>'
)


@register.simple_tag
def chip(label: str, href: str, on: bool = False, count: int | None = None, remove: bool = False) -> SafeString:
    """A filter as a link: outline when off; tinted, with its × (`remove`), when on."""
    return format_html(
        '<a class="chip{}" href="{}"{}>{}{}{}</a>',
        " is-on" if on else "",
        href,
        _known(' aria-current="true"') if on and not remove else "",
        label,
        "" if count is None else format_html(' <span class="chip__n">{}</span>', count),
        icon("cross") if remove else "",
    )


# ---- Forms ----


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: str = "", label: str = "") -> dict[str, Any]:
    """A form field: label above, hint and error below, wired for screen readers. Optional fields say so."""
    widget = bound.field.widget
    kind = getattr(widget, "input_type", "textarea" if "Textarea" in type(widget).__name__ else "text")
    css = {"select": "select", "textarea": "textarea", "checkbox": "", "radio": ""}.get(kind, "input")
    attrs: dict[str, str | bool] = {"class": " ".join(c for c in (widget.attrs.get("class", ""), css) if c)}
    described = " ".join(
        part
        for part, there in (
            (f"{bound.auto_id}_hint", hint or bound.help_text),
            (f"{bound.auto_id}_error", bound.errors),
        )
        if there
    )
    if described:
        attrs["aria-describedby"] = described
    if bound.errors:
        attrs["aria-invalid"] = "true"
    return {
        "field": bound,
        "kind": kind,
        "label": label or bound.label,
        "hint": hint or bound.help_text,
        "control": bound.as_widget(attrs={k: v for k, v in attrs.items() if v}),
        "optional": not bound.field.required and kind not in ("checkbox", "radio", "select"),
    }


# ---- Long lists ----


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any]) -> dict[str, Any]:
    """Newer and older for a Paginator's page, keeping the filters of the address."""
    asked = context["request"].GET.copy() if "request" in context else {}

    def address(number: int) -> str:
        return "?" + urlencode({**{k: asked[k] for k in asked}, "page": number})

    return {
        "page": page,
        "newer": address(page.previous_page_number()) if page.has_previous() else "",
        "older": address(page.next_page_number()) if page.has_next() else "",
    }


# ---- Words for scripts ----


@register.simple_tag
def time_words() -> SafeString:
    """The patterns of lengths of time as data attributes, so that a script counts in the same words as the server."""
    return format_html_join("", ' data-{}="{}"', _time.patterns().items())
