"""The texts in Khmer: gathered from the sources, checked for gaps, compiled. Needs no gettext tools on the machine.

    python -m config.texts gather     put every text of the sources into locale/km, keeping what is translated
    python -m config.texts check      say what is untranslated, fuzzy, or lost a placeholder; exit 1 if anything is
    python -m config.texts compile    write the .mo files Django reads (they are not committed)

Python files are read as syntax trees, templates through Django's own `templatize`, which is what `makemessages` uses.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("config", "elections", "commands", "incidents")
CATALOGUE = ROOT / "locale" / "km" / "LC_MESSAGES" / "django.po"

#: Function: positions of context, singular and plural among its arguments.
FUNCTIONS: dict[str, tuple[int | None, int, int | None]] = {
    "gettext": (None, 0, None),
    "gettext_lazy": (None, 0, None),
    "gettext_noop": (None, 0, None),
    "ngettext": (None, 0, 1),
    "ngettext_lazy": (None, 0, 1),
    "pgettext": (0, 1, None),
    "pgettext_lazy": (0, 1, None),
    "npgettext": (0, 1, 2),
    "npgettext_lazy": (0, 1, 2),
}
_LITERAL = r"""[uU]?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_CALL = re.compile(rf"(?<![\w.])(?P<name>n?p?gettext|_)\(\s*(?P<arguments>{_LITERAL}(?:\s*,\s*{_LITERAL})*)", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}|%[sd]")


@dataclass(frozen=True, order=True)
class Text:
    context: str
    singular: str
    plural: str
    where: str

    @property
    def key(self) -> tuple[str, str]:
        return self.context, self.singular


# ---- Gathering ----


def texts_of_python(source: str, where: str) -> Iterator[Text]:
    """Texts of a Python file; follows `from django.utils.translation import … as _`."""
    tree = ast.parse(source)
    names = {"_": "gettext"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            names |= {a.asname or a.name: a.name for a in node.names}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        places = FUNCTIONS.get(names.get(called, called))
        arguments = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args]
        if places:
            yield from _text(places, arguments, f"{where}:{node.lineno}")


def texts_of_template(source: str, where: str) -> Iterator[Text]:
    from django.utils.translation.template import templatize

    for call in _CALL.finditer(templatize(source, origin=where)):
        places = FUNCTIONS["gettext" if call["name"] == "_" else call["name"]]
        arguments = [ast.literal_eval(m.group(1)) for m in re.finditer(_LITERAL, call["arguments"], re.DOTALL)]
        yield from _text(places, arguments, where)


def _text(places: tuple[int | None, int, int | None], arguments: list[str | None], where: str) -> Iterator[Text]:
    context, singular, plural = (arguments[p] if p is not None and p < len(arguments) else "" for p in places)
    if singular:
        yield Text(context or "", singular, plural or "", where)


def gather() -> list[Text]:
    """Every text of the product, once for each context, in order of the files."""
    found: dict[tuple[str, str], Text] = {}
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                for text in texts_of_python(path.read_text(), path.relative_to(ROOT).as_posix()):
                    found.setdefault(text.key, text)
    for suffix in ("*.html", "*.txt", "*.svg"):
        for path in sorted((ROOT / "templates").rglob(suffix)):
            for text in texts_of_template(path.read_text(), path.relative_to(ROOT).as_posix()):
                found.setdefault(text.key, text)
    return list(found.values())


# ---- The catalogue ----


def read() -> polib.POFile:
    if CATALOGUE.exists():
        return polib.pofile(str(CATALOGUE), wrapwidth=110)
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Language": "km",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    return catalogue


def write_gathered() -> tuple[int, int]:
    """Bring the catalogue in step with the sources; returns how many texts were added and dropped."""
    catalogue, texts = read(), gather()
    known = {(e.msgctxt or "", e.msgid): e for e in catalogue}
    entries, added = [], 0
    for text in texts:
        entry = known.pop(text.key, None)
        if entry is None:
            added += 1
            entry = polib.POEntry(msgid=text.singular, msgctxt=text.context or None)
        if text.plural:
            entry.msgid_plural = text.plural
            entry.msgstr_plural = entry.msgstr_plural or {0: entry.msgstr}
            entry.msgstr = ""
        entry.occurrences = [(text.where.partition(":")[0], "")]
        entries.append(entry)
    catalogue.clear()
    catalogue.extend(entries)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(CATALOGUE))
    return added, len(known)


def problems() -> list[str]:
    """What is wrong with the Khmer catalogue, one line each: missing, empty, fuzzy, or with other placeholders."""
    catalogue = {(e.msgctxt or "", e.msgid): e for e in read()}
    found = []
    for text in gather():
        entry = catalogue.get(text.key)
        says = list(entry.msgstr_plural.values()) if entry and entry.msgid_plural else [entry.msgstr if entry else ""]
        label = f"{text.where}: {text.singular!r}"
        if entry is None or not all(says) or not says:
            found.append(f"{label} is not translated")
        elif entry.fuzzy:
            found.append(f"{label} is marked fuzzy")
        elif any(not _fits(_placeholders(said), text) for said in says):
            found.append(f"{label} has other placeholders in Khmer")
    return found


def _fits(said: set[str], text: Text) -> bool:
    """The same placeholders; of a plural, where the singular may leave the number out, those of either form."""
    return said in (_placeholders(text.singular), _placeholders(text.plural or text.singular))


def _placeholders(text: str) -> set[str]:
    return {m.group(0) for m in _PLACEHOLDER.finditer(text.replace("%%", ""))}


def compile_all() -> int:
    """Write a .mo beside every .po that is newer; returns how many were written."""
    written = 0
    for source in sorted((ROOT / "locale").rglob("*.po")):
        target = source.with_suffix(".mo")
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            polib.pofile(str(source)).save_as_mofile(str(target))
            written += 1
    return written


def main(door: str) -> int:
    match door:
        case "gather":
            print("{} texts added, {} dropped".format(*write_gathered()))
        case "check":
            found = problems()
            print("\n".join(found[:40]))
            print(f"{len(found)} of {len(gather())} texts need work" if found else "Every text is in Khmer.")
            return 1 if found else 0
        case "compile":
            print(f"{compile_all()} catalogues compiled")
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
