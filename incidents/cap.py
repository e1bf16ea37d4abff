"""CAP 1.2 (OASIS Common Alerting Protocol): the message of a public notice, and a validator of the rules that bite.

Pure but for the notice it reads: no database writes, no clock. Order of elements and enumerations follow the OASIS
schema, which is not part of this repository.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from django.conf import settings
from django.utils import timezone, translation

from elections.choices import Level
from elections.models import Jurisdiction
from incidents.choices import Severity, Verification
from incidents.models import PublicNotice

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
CONTENT_TYPE = "application/cap+xml"
#: A ring: points as (latitude, longitude) in degrees WGS 84, the first repeated at the end.
Ring = Sequence[tuple[float, float]]

SEVERITY = {
    Severity.CRITICAL: "Extreme",
    Severity.HIGH: "Severe",
    Severity.MEDIUM: "Moderate",
    Severity.LOW: "Minor",
    Severity.UNRATED: "Unknown",
}
CERTAINTY = {
    Verification.VERIFIED: "Observed",
    Verification.PARTIAL: "Likely",
    Verification.UNVERIFIED: "Possible",
    Verification.REFUTED: "Unlikely",
    Verification.UNVERIFIABLE: "Unknown",
}
URGENCY = {Severity.CRITICAL: "Immediate", Severity.HIGH: "Immediate"}
LANGUAGES = (("km", "km-KH"), ("en", "en-US"))
SENDER_NAME = {
    "km": "គណៈកម្មាធិការជាតិរៀបចំការបោះឆ្នោត",
    "en": "National Election Committee of Cambodia",
}


# ---- Values ----


def moment(at: dt.datetime) -> str:
    """`2024-02-25T07:10:00+07:00`: local offset, whole seconds, never Z, as the schema's pattern asks."""
    return timezone.localtime(at).isoformat(timespec="seconds")


def identifier(notice: PublicNotice, message: str = "alert") -> str:
    """`NEC-KH-<uuid>`, with `-cancel` for the message that takes it back."""
    return f"NEC-KH-{notice.pk}" + ("" if message == "alert" else f"-{message}")


def status() -> str:
    """`Actual` only where the deployment says so; a demonstration can never send it."""
    return "Actual" if settings.CAP_ACTUAL and not settings.DEMO else "Exercise"


def geocodes(area: Jurisdiction) -> list[tuple[str, str]]:
    """Codes of an area: ISO 3166-2 without leading zero for province and above, and the OCHA P-code."""
    codes = []
    if area.level == Level.COUNTRY:
        codes.append(("ISO3166-2", area.pcode))
    elif not area.is_fictional:
        codes.append(("ISO3166-2", f"{area.pcode[:2]}-{int(area.pcode[2:4])}"))
    return [*codes, ("OCHA-PCODE", area.pcode)]


def area_description(area: Jurisdiction, language: str) -> str:
    """The place and what it is part of, in one language: "Doun Kaev, Takeo Province"."""
    names: list[str] = []
    at: Jurisdiction | None = area
    with translation.override(language):
        while at is not None and (at.level != Level.COUNTRY or not names):
            names.append(at.full_name)
            at = at.parent
    return ", ".join(names)


def rings(shape: dict[str, Any] | None) -> list[Ring]:
    """Outer rings of a GeoJSON Polygon or MultiPolygon as CAP wants them: latitude first, at most five, the longest.

    CAP has no holes, and a telephone's receiver no patience: a ring is thinned to at most 300 points.
    """
    if not shape:
        return []
    polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
    outer = sorted((polygon[0] for polygon in polygons), key=len, reverse=True)[:5]
    found: list[Ring] = []
    for ring in outer:
        step = -(-len(ring) // 300)
        points = [(float(lat), float(lon)) for lon, lat in (p[:2] for p in ring[:-1:step])]
        if len(points) >= 3:
            found.append([*points, points[0]])
    return found


# ---- Messages ----


def alert(notice: PublicNotice, sent: dt.datetime, outline: Sequence[Ring] = ()) -> str:
    """The Alert of a notice being issued at `sent`, as XML text. `outline`: rings of the area, if known."""
    root = _head(notice, "alert", "Alert", sent)
    for language, tag in LANGUAGES:
        _info(root, notice, sent, language, tag, outline)
    return _text(root)


def cancel(notice: PublicNotice, sent: dt.datetime, reason: str) -> str:
    """The Cancel that takes an issued notice back at `sent`; it names the alert it cancels."""
    if notice.issued_at is None:
        raise ValueError("Only an issued notice can be cancelled.")
    root = _head(
        notice,
        "cancel",
        "Cancel",
        sent,
        note=reason,
        references=f"{settings.CAP_SENDER},{identifier(notice)},{moment(notice.issued_at)}",
    )
    for language, tag in LANGUAGES:
        _info(root, notice, sent, language, tag, ())
    return _text(root)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text


def _head(
    notice: PublicNotice, message: str, kind: str, sent: dt.datetime, note: str = "", references: str = ""
) -> ElementTree.Element:
    root = ElementTree.Element("alert", {"xmlns": NAMESPACE})
    _add(root, "identifier", identifier(notice, message))
    _add(root, "sender", settings.CAP_SENDER)
    _add(root, "sent", moment(sent))
    _add(root, "status", status())
    _add(root, "msgType", kind)
    _add(root, "scope", "Public")
    if note:
        _add(root, "note", note)
    if references:
        _add(root, "references", references)
    return root


def _info(
    root: ElementTree.Element,
    notice: PublicNotice,
    sent: dt.datetime,
    language: str,
    tag: str,
    outline: Sequence[Ring],
) -> None:
    incident, km = notice.incident, language == "km"
    info = ElementTree.SubElement(root, "info")
    _add(info, "language", tag)
    _add(info, "category", notice.category)
    _add(info, "event", notice.event_km if km else notice.event_en)
    _add(info, "urgency", URGENCY.get(Severity(incident.severity), "Expected"))
    _add(info, "severity", SEVERITY[Severity(incident.severity)])
    _add(info, "certainty", CERTAINTY[Verification(incident.verification)])
    _add(info, "effective", moment(sent))
    _add(info, "expires", moment(max(notice.expires_at, sent)))
    _add(info, "senderName", SENDER_NAME[language])
    _add(info, "headline", notice.headline_km if km else notice.headline_en)
    _add(info, "instruction", notice.instruction_km if km else notice.instruction_en)
    area = ElementTree.SubElement(info, "area")
    _add(area, "areaDesc", area_description(notice.area, language))
    for ring in outline:
        _add(area, "polygon", " ".join(f"{lat:.4f},{lon:.4f}" for lat, lon in ring))
    for name, value in geocodes(notice.area):
        code = ElementTree.SubElement(area, "geocode")
        _add(code, "valueName", name)
        _add(code, "value", value)


def _text(root: ElementTree.Element) -> str:
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


# ---- Validator ----

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-,+]\d\d:\d\d")
_NO_SPACE = re.compile(r"[^\s,<&]+")
_POLYGON = re.compile(r"-?\d+(\.\d+)?,-?\d+(\.\d+)?( -?\d+(\.\d+)?,-?\d+(\.\d+)?){3,}")
_REFERENCE = re.compile(r"[^\s,<&]+,[^\s,<&]+," + _DATE.pattern)

#: Elements in their order: name -> (least, most).
_MANY = 10_000
_ALERT = {
    "identifier": (1, 1), "sender": (1, 1), "sent": (1, 1), "status": (1, 1), "msgType": (1, 1), "source": (0, 1),
    "scope": (1, 1), "restriction": (0, 1), "addresses": (0, 1), "code": (0, _MANY), "note": (0, 1),
    "references": (0, 1), "incidents": (0, 1), "info": (0, _MANY),
}  # fmt: skip
_INFO = {
    "language": (0, 1), "category": (1, _MANY), "event": (1, 1), "responseType": (0, _MANY), "urgency": (1, 1),
    "severity": (1, 1), "certainty": (1, 1), "audience": (0, 1), "eventCode": (0, _MANY), "effective": (0, 1),
    "onset": (0, 1), "expires": (0, 1), "senderName": (0, 1), "headline": (0, 1), "description": (0, 1),
    "instruction": (0, 1), "web": (0, 1), "contact": (0, 1), "parameter": (0, _MANY), "resource": (0, _MANY),
    "area": (0, _MANY),
}  # fmt: skip
_AREA = {
    "areaDesc": (1, 1), "polygon": (0, _MANY), "circle": (0, _MANY), "geocode": (0, _MANY), "altitude": (0, 1),
    "ceiling": (0, 1),
}  # fmt: skip
_VALUES = {
    "status": "Actual Exercise System Test Draft",
    "msgType": "Alert Update Cancel Ack Error",
    "scope": "Public Restricted Private",
    "category": "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other",
    "responseType": "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None",
    "urgency": "Immediate Expected Future Past Unknown",
    "severity": "Extreme Severe Moderate Minor Unknown",
    "certainty": "Observed Likely Possible Unlikely Unknown",
}
_PATTERNS = {
    "identifier": _NO_SPACE, "sender": _NO_SPACE, "sent": _DATE, "effective": _DATE, "onset": _DATE, "expires": _DATE,
    "polygon": _POLYGON,
}  # fmt: skip


def problems(xml: str) -> list[str]:
    """What is wrong with a CAP 1.2 message, one line each; empty when it is sound.

    Checks order, number, enumerations, dates, identifiers, references and polygons. For our own messages and for tests:
    it parses without protection against hostile XML.
    """
    try:
        root = ElementTree.fromstring(xml.encode())  # noqa: S314  our own message, just made
    except ElementTree.ParseError as error:
        return [f"not XML: {error}"]
    if root.tag != f"{{{NAMESPACE}}}alert":
        return ["the root is not a CAP 1.2 alert"]
    found: list[str] = []
    _check(root, _ALERT, found)
    for info in root.iterfind(_q("info")):
        _check(info, _INFO, found)
        for area in info.iterfind(_q("area")):
            _check(area, _AREA, found)
    kind, scope = root.findtext(_q("msgType")), root.findtext(_q("scope"))
    references = root.findtext(_q("references")) or ""
    if kind in ("Update", "Cancel", "Ack", "Error") and not references:
        found.append(f"{kind} without references")
    found += [f"references: {r!r}" for r in references.split() if not _REFERENCE.fullmatch(r)]
    if scope == "Restricted" and not root.findtext(_q("restriction")):
        found.append("Restricted without restriction")
    if scope == "Private" and not root.findtext(_q("addresses")):
        found.append("Private without addresses")
    return found


def _q(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _check(element: ElementTree.Element, order: dict[str, tuple[int, int]], found: list[str]) -> None:
    """Order, number and values of the children of one element."""
    where = element.tag.rpartition("}")[2]
    names = [child.tag.rpartition("}")[2] for child in element]
    places = {name: place for place, name in enumerate(order)}
    last = -1
    for child, name in zip(element, names, strict=True):
        if name not in order:
            found.append(f"{where}: unknown {name}")
            continue
        if places[name] < last:
            found.append(f"{where}: {name} is out of order")
        last = max(last, places[name])
        _check_value(where, name, child, found)
    for name, (least, most) in order.items():
        number = names.count(name)
        if number < least:
            found.append(f"{where}: {name} is missing")
        if number > most:
            found.append(f"{where}: {name} occurs {number} times")


def _check_value(where: str, name: str, child: ElementTree.Element, found: list[str]) -> None:
    text = child.text or ""
    if not len(child) and not text.strip():
        found.append(f"{where}: {name} is empty")
    if name in _VALUES and text not in _VALUES[name].split():
        found.append(f"{where}: {name} {text!r} is not a CAP value")
    if name in _PATTERNS and not _PATTERNS[name].fullmatch(text):
        found.append(f"{where}: {name} {text[:60]!r} has the wrong form")
    if name == "polygon" and text.split()[:1] != text.split()[-1:]:
        found.append(f"{where}: polygon is not closed")
    if name == "geocode" and [g.tag.rpartition("}")[2] for g in child] != ["valueName", "value"]:
        found.append(f"{where}: geocode needs valueName and value")
