"""What may be added is decided by what the file is; the original is kept unchanged, the copy carries no location."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from incidents import evidence
from incidents.models import Attachment
from tests.cast import NOW, Cast
from tests.incidents.plain_case import plain_case


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path


def picture(kind: str = "JPEG", size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


def upload(data: bytes, name: str = "photo.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/jpeg")


def refusal(data: bytes, name: str = "photo.jpg") -> str:
    with pytest.raises(ValidationError) as refused:
        evidence.check_upload(upload(data, name))
    assert refused.value.message
    return str(refused.value.code)


# ---- What is let in ----


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (picture("JPEG"), "image/jpeg"),
        (picture("PNG"), "image/png"),
        (picture("WEBP"), "image/webp"),
        (b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n", "application/pdf"),
        ("កំណត់ត្រា 06:20\nA note.\n".encode(), "text/plain"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00isommp42" + bytes(200), "video/mp4"),
    ],
)
@pytest.mark.parametrize("name", ["photo.jpg", "x.exe", "noending"])
def test_the_type_comes_from_the_content(data: bytes, expected: str, name: str) -> None:
    checked = evidence.check_upload(upload(data, name))
    assert checked.content_type == expected
    assert checked.sha256 == hashlib.sha256(data).hexdigest()
    assert checked.size == len(data)
    assert checked.name.endswith(evidence.ALLOWED[expected])
    assert bool(checked.derived) == expected.startswith("image/")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "type"),
        (b'<?xml version="1.0"?><svg/>', "type"),
        (b"\xef\xbb\xbf  <!DOCTYPE html><html></html>", "type"),
        (b"plain words first\n" * 500 + b"<script>alert(1)</script>", "type"),
        (b"PK\x03\x04" + bytes(100), "type"),
        (b"MZ" + bytes(100), "type"),
        (b"\x7fELF" + bytes(100), "type"),
        (b"GIF89a" + bytes(100), "type"),
        (b"text with a NUL \x00 in it", "type"),
        (b"\xff\xfe" + "UTF-16".encode("utf-16-le"), "type"),
        (b"\x1b]0;title\x07 escape codes", "type"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "heic"),
        (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif", "heic"),
        (b"%PDF-1.7\nhalf a docum", "broken"),
        (picture()[:-200], "broken"),
        (b"\xff\xd8\xff\xe0 not a picture at all", "broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "broken"),
    ],
)
@pytest.mark.parametrize("name", ["photo.jpg", "notes.txt"])
def test_everything_else_is_refused_in_words(data: bytes, code: str, name: str) -> None:
    assert refusal(data, name) == code


def test_the_size_limit_is_told(settings: Any) -> None:
    settings.ATTACHMENT_MAX_BYTES = 1_048_576
    assert refusal(picture() + bytes(1_048_577)) == "too_big"


def test_the_number_limit_is_told(settings: Any) -> None:
    settings.ATTACHMENT_MAX_FILES = 3
    evidence.check_count(3)
    with pytest.raises(ValidationError, match="3 files"):
        evidence.check_count(4)


# ---- Pictures that are traps ----


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("edge", [8_000, 40_000, 2_000_000])
def test_a_picture_of_too_many_pixels_is_not_decoded(edge: int) -> None:
    assert refusal(png_claiming(edge, edge)) == "pixels"


def test_a_picture_that_is_also_an_archive_or_a_page_is_refused() -> None:
    assert refusal(picture() + b"PK\x03\x04rest") == "type"
    assert refusal(picture("PNG") + b"<html><script>1</script>") == "type"
    assert refusal(picture("WEBP") + b"<script>1</script>") == "type"
    assert refusal(picture("JPEG", comment=b"<script>alert(1)</script>")) == "type"


def test_a_moving_picture_is_refused() -> None:
    out = io.BytesIO()
    frames = [Image.new("RGB", (20, 20), c) for c in ("red", "blue")]
    frames[0].save(out, "WEBP", save_all=True, append_images=frames[1:])
    assert refusal(out.getvalue()) == "animated"


# ---- The copy that is shown ----


def test_the_copy_has_no_location_and_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera maker"
    exif.get_ifd(0x8825)[2] = (10.0, 59.0, 8.0)
    data = picture(size=(400, 200), exif=exif)
    assert b"Camera maker" in data
    checked = evidence.check_upload(upload(data))
    copy = Image.open(io.BytesIO(checked.derived))
    assert copy.size == (200, 400)
    assert not copy.getexif()
    assert b"Exif" not in checked.derived
    assert b"Camera maker" not in checked.derived
    checked.original.seek(0)
    assert checked.original.read() == data


def test_the_copy_is_at_most_1600_pixels_on_its_long_edge() -> None:
    checked = evidence.check_upload(upload(picture(size=(4000, 1000))))
    assert Image.open(io.BytesIO(checked.derived)).size == (1600, 400)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "L", "I;16"])
def test_every_kind_of_pixel_can_be_copied(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (30, 30)).save(out, "PNG")
    checked = evidence.check_upload(upload(out.getvalue()))
    copy = Image.open(io.BytesIO(checked.derived))
    assert copy.mode == "RGB"
    if mode in ("RGBA", "LA"):
        assert copy.getpixel((5, 5)) == (255, 255, 255)


# ---- Names ----


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\photo.jpg", "photo.jpg"),
        ("a\x00b\r\nc.jpg", "abc.jpg"),
        ("gpj\u202e.exe.jpg", "gpj.exe.jpg"),
        ("រូបថត ១.jpg", "រូបថត ១.jpg"),
        ('a"b<c>.jpg', "a b c.jpg"),
        ("   .jpg", "jpg"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_a_name_is_made_safe_to_show(given: str, shown: str) -> None:
    assert evidence.safe_name(given) == shown


def test_a_long_name_keeps_its_ending() -> None:
    name = evidence.safe_name("ក" * 300 + ".jpeg")
    assert len(name) == 120
    assert name.endswith(".jpeg")


# ---- Keeping it ----


@pytest.mark.django_db
class TestStore:
    def test_the_original_is_kept_byte_for_byte(self, cast: Cast) -> None:
        data = picture(size=(300, 300))
        incident = plain_case()
        kept = evidence.store(evidence.check_upload(upload(data, "../x.jpg")), incident, cast.officer, NOW)
        assert kept.original.read() == data
        assert kept.name == "x.jpg"
        assert "x.jpg" not in str(kept.original.name)
        assert Image.open(kept.derived).format == "JPEG"
        assert evidence.is_unchanged(kept)

    def test_a_changed_original_is_noticed(self, cast: Cast) -> None:
        kept = evidence.store(evidence.check_upload(upload(picture())), plain_case(), cast.officer, NOW)
        path = Path(kept.original.path)
        path.write_bytes(path.read_bytes() + b"x")
        assert not evidence.is_unchanged(kept)
        path.unlink()
        assert not evidence.is_unchanged(kept)

    def test_the_same_file_twice_on_a_case_is_refused(self, cast: Cast) -> None:
        incident, other = plain_case(), plain_case()
        evidence.store(evidence.check_upload(upload(picture())), incident, cast.officer, NOW)
        with pytest.raises(ValidationError, match="already"):
            evidence.store(evidence.check_upload(upload(picture())), incident, cast.officer, NOW)
        evidence.store(evidence.check_upload(upload(picture())), other, cast.officer, NOW)
        assert Attachment.objects.count() == 2

    def test_a_document_has_no_copy(self, cast: Cast) -> None:
        kept = evidence.store(evidence.check_upload(upload(b"notes", "n.txt")), plain_case(), cast.officer, NOW)
        assert not kept.derived
