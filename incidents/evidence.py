"""Files as evidence: what is let in (by content, never by name), kept unchanged with its SHA-256, shown as a safe copy.

Nothing here decides who may add or read a file: that is `actions.attach` and the attachment view.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import unicodedata
import uuid
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import puremagic
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from commands.models import User
from incidents.models import Attachment, Incident

if TYPE_CHECKING:
    Upload = UploadedFile[bytes]
else:
    Upload = UploadedFile

#: What we keep, and how the stored file ends.
ALLOWED = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
}
_PILLOW = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
#: A 48-megapixel telephone picture passes; decoded it takes 144 MB, and no more than that is ever decoded.
MAX_PIXELS = 50_000_000
DERIVED_EDGE = 1600
NAME_LENGTH = 120
#: Brands of the ISO media box `ftyp`: still pictures of the HEIC family, and moving pictures.
_HEIC = {b"heic", b"heix", b"hevc", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis"}
_MP4 = {
    b"isom",
    b"iso2",
    b"iso4",
    b"iso5",
    b"iso6",
    b"mp41",
    b"mp42",
    b"avc1",
    b"M4V ",
    b"MSNV",
    b"dash",
    b"3gp4",
    b"3gp5",
}
#: What a browser or an office program would run if it were persuaded that the file is something else. Beginnings of
#: the file are read by `_sniff`; these are looked for in the whole of a text or picture's tail.
_ACTIVE = re.compile(rb"<\s*(?:!doctype|html|svg|script|iframe|object|embed)\b|<\?(?:php|xml)", re.IGNORECASE)
#: Invisible and direction-changing characters: they make `exe.txt` look like `txt.exe`.
_UNSEEN = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, kw_only=True)
class CheckedUpload:
    """A file that passed: its safe name, true type, SHA-256 of the original, and a derived JPEG for a picture."""

    name: str
    content_type: str
    size: int
    sha256: str
    original: Upload
    derived: bytes = b""


def _refuse(code: str, text: str) -> ValidationError:
    return ValidationError(text, code=code)


def safe_name(name: str) -> str:
    """A file name fit to show and to download: no path, no control or direction character, at most 120 characters."""
    last = re.split(r"[\\/]", name)[-1]
    clean = _UNSEEN.sub("", unicodedata.normalize("NFC", last))
    clean = re.sub(r"[<>:\"|?*\s]+", " ", clean).strip(" .")
    if not clean:
        return _("file")
    stem, dot, ending = clean.rpartition(".")
    if not dot or len(ending) > 10:
        return clean[:NAME_LENGTH].rstrip(" .")
    return f"{stem[: NAME_LENGTH - len(ending) - 1].rstrip(' .')}.{ending}"


def check_count(number: int) -> None:
    """Refuse more files in one go than the limit."""
    if number > settings.ATTACHMENT_MAX_FILES:
        raise _refuse(
            "too_many",
            _("You can add at most %(limit)s files at a time. Add the others afterwards.")
            % {"limit": settings.ATTACHMENT_MAX_FILES},
        )


def check_upload(file: Upload) -> CheckedUpload:
    """Look at what the file is and make the safe copy; raises ValidationError with a sentence for people.

    Reads the file from its beginning and leaves it there. No database, no storage: call it before the transaction.
    """
    name = safe_name(file.name or "")
    size = file.size or 0
    if size == 0:
        raise _refuse("empty", _("The file «%(name)s» is empty. Choose it again.") % {"name": name})
    if size > settings.ATTACHMENT_MAX_BYTES:
        raise _refuse(
            "too_big",
            _("The file «%(name)s» has %(size)s MB. At most %(limit)s MB are possible.")
            % {
                "name": name,
                "size": f"{size / 1_048_576:.1f}",
                "limit": settings.ATTACHMENT_MAX_BYTES // 1_048_576,
            },
        )
    file.seek(0)
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    content_type = _sniff(file, name)
    derived = _derive(file, content_type, name) if content_type in _PILLOW else b""
    file.seek(0)
    return CheckedUpload(
        name=_with_ending(name, content_type),
        content_type=content_type,
        size=size,
        sha256=digest.hexdigest(),
        original=file,
        derived=derived,
    )


def _with_ending(name: str, content_type: str) -> str:
    """The name with an ending that tells the truth: `photo.exe` that is a picture is shown as `photo.exe.jpg`."""
    endings = {"image/jpeg": (".jpg", ".jpeg", ".jpe", ".jfif"), "text/plain": (".txt", ".log", ".csv", ".md")}
    if name.lower().endswith(endings.get(content_type, (ALLOWED[content_type],))):
        return name
    ending = ALLOWED[content_type]
    return f"{name[: NAME_LENGTH - len(ending)]}{ending}"


def _sniff(file: Upload, name: str) -> str:
    """The MIME type by content; refuses what is not allowed."""
    file.seek(0)
    head = file.read(4096)
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC:
            raise _refuse(
                "heic",
                _(
                    "«%(name)s» is a HEIC picture, which not every computer can show. Take a screenshot of it and add "
                    "that, or set the telephone's camera to «most compatible» (JPEG)."
                )
                % {"name": name},
            )
        if brand in _MP4:
            return "video/mp4"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"%PDF-"):
        return _checked_pdf(file, name)
    return _checked_text(file, head, name)


def _not_allowed(name: str) -> ValidationError:
    return _refuse(
        "type",
        _("«%(name)s» is not a kind of file we can keep. Photos (JPEG, PNG, WebP), PDF, plain text and MP4 video are.")
        % {"name": name},
    )


def _checked_pdf(file: Upload, name: str) -> str:
    """A whole PDF: with its end mark. It is kept as it is and handed out for download only, never shown in the page."""
    file.seek(max(0, (file.size or 0) - 2048))
    if b"%%EOF" not in file.read(2048):
        raise _broken(name)
    return "application/pdf"


def _checked_text(file: Upload, head: bytes, name: str) -> str:
    """Plain UTF-8 text: nothing that puremagic knows as another format, no NUL, no markup that could run."""
    try:
        known = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        known = []
    # Text formats match on a few letters with little confidence; a true signature has more.
    if any(m.confidence >= 0.8 and not m.mime_type.startswith("text/") for m in known):
        raise _not_allowed(name)
    file.seek(0)
    whole = file.read()
    if b"\x00" in whole or _ACTIVE.search(whole):
        raise _not_allowed(name)
    try:
        text = whole.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _not_allowed(name) from None
    if any(unicodedata.category(c) == "Cc" and c not in "\t\n\r\f" for c in text[:4096]):
        raise _not_allowed(name)
    return "text/plain"


def _broken(name: str) -> ValidationError:
    return _refuse(
        "broken", _("«%(name)s» cannot be opened: it is damaged or not complete. Send it again.") % {"name": name}
    )


def _derive(file: Upload, content_type: str, name: str) -> bytes:
    """A JPEG of at most 1,600 px, upright, without metadata and so without location. Decodes the whole picture."""
    file.seek(0)
    data = file.read()
    try:
        with warnings.catch_warnings():
            # Pillow warns at its own pixel limit and fails at twice that; ours is lower and exact.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=[_PILLOW[content_type]]) as picture:
                if picture.width * picture.height > MAX_PIXELS:
                    raise _bomb(name)
                # A JPEG with further frames is a telephone's depth or brightness map; its first frame is the photo.
                if content_type != "image/jpeg" and getattr(picture, "n_frames", 1) > 1:
                    raise _refuse(
                        "animated",
                        _("«%(name)s» is a moving picture. Add one still picture, or an MP4 video.") % {"name": name},
                    )
                if _carries_markup(data):
                    raise _not_allowed(name)
                picture.load()
                upright = ImageOps.exif_transpose(picture)
                upright.thumbnail((DERIVED_EDGE, DERIVED_EDGE))
                if upright.mode in ("RGBA", "LA", "PA") or "transparency" in upright.info:
                    # Transparent parts become white, not black.
                    canvas = Image.new("RGB", upright.size, "white")
                    layer = upright.convert("RGBA")
                    canvas.paste(layer, mask=layer.getchannel("A"))
                    upright = canvas
                out = io.BytesIO()
                upright.convert("RGB").save(out, "JPEG", quality=82, optimize=True)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _bomb(name) from None
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError):
        raise _broken(name) from None
    return out.getvalue()


def _bomb(name: str) -> ValidationError:
    return _refuse(
        "pixels",
        _("«%(name)s» has too many pixels. At most %(limit)s million are possible: make it smaller and send it again.")
        % {"name": name, "limit": MAX_PIXELS // 1_000_000},
    )


def _carries_markup(data: bytes) -> bool:
    """Whether a picture is also a page or an archive: markup in its first bytes, or anything after its end."""
    if re.search(rb"<\s*(?:html|script|svg)\b|<\?php", data[:1024], re.IGNORECASE):
        return True
    end = {b"\xff\xd8": (b"\xff\xd9", 2), b"\x89P": (b"IEND\xaeB`\x82", 8)}.get(data[:2])
    if end is None:
        declared = int.from_bytes(data[4:8], "little") + 8 if data[:4] == b"RIFF" else len(data)
        tail = data[declared:]
    else:
        position = data.rfind(end[0])
        tail = data[position + end[1] :] if position >= 0 else b""
    # Telephones append small trailers (motion pictures, gain maps); archives and pages are told by their marks.
    return bool(_ACTIVE.search(tail)) or b"PK\x03\x04" in tail or b"PK\x05\x06" in data[-66000:]


def store(checked: CheckedUpload, incident: Incident, by: User, now: dt.datetime) -> Attachment:
    """Write the files, then the row, inside the caller's transaction.

    Files first: a row never points at nothing. If the transaction fails afterwards the files lie there unused, under
    names nobody knows, and harm nobody. The same file twice on a case is refused (`code="duplicate"`).
    """
    known = Attachment.objects.filter(incident=incident, sha256=checked.sha256).first()
    if known:
        raise _refuse("duplicate", _("This file is on the case already, as «%(name)s».") % {"name": known.name})
    key = uuid.uuid4().hex
    folder = f"{now:%Y/%m}"
    checked.original.seek(0)
    original = default_storage.save(f"original/{folder}/{key}{ALLOWED[checked.content_type]}", checked.original)
    derived = ""
    if checked.derived:
        derived = default_storage.save(f"derived/{folder}/{key}.jpg", ContentFile(checked.derived))
    return Attachment.objects.create(
        incident=incident,
        name=checked.name,
        content_type=checked.content_type,
        size=checked.size,
        sha256=checked.sha256,
        original=original,
        derived=derived,
        uploaded_by=by,
        uploaded_at=now,
    )


def is_unchanged(attachment: Attachment) -> bool:
    """Whether the stored original still has the SHA-256 it was handed in with; False too where the file is gone."""
    digest = hashlib.sha256()
    try:
        with default_storage.open(str(attachment.original.name), "rb") as stored:
            for chunk in stored.chunks():
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == attachment.sha256
