"""What the scenarios show besides words: a picture, and the texts of the two public notices."""

import io

from PIL import Image, ImageDraw


def picture() -> bytes:
    """A drawing that stands for a photo: sky, ground, a building."""
    image = Image.new("RGB", (1200, 800), "#9fc3dc")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 520, 1200, 800), fill="#a58a63")
    draw.rectangle((340, 300, 860, 560), fill="#e5d9c0")
    draw.polygon([(300, 310), (600, 170), (900, 310)], fill="#8d4b38")
    draw.rectangle((560, 420, 640, 560), fill="#5b4a3a")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


MOVED_STATION = {
    "event_km": "ការផ្លាស់ប្តូរទីតាំងការិយាល័យបោះឆ្នោត",
    "event_en": "Polling station moved",
    "headline_km": "ការិយាល័យបោះឆ្នោតត្រូវបានប្តូរទីតាំងដោយសារទឹកជំនន់",
    "headline_en": "A polling station has moved because of flooding",
    "instruction_km": "សូមទៅបោះឆ្នោតនៅសាលាវត្តលើភ្នំ។ សូមកុំដើរឆ្លងទឹក។ ម៉ោងបោះឆ្នោតមិនផ្លាស់ប្តូរទេ។",
    "instruction_en": (
        "Please vote at the pagoda hall on the hill. Do not walk through the water. Voting hours are unchanged."
    ),
}
VOTING_AS_PLANNED = {
    "event_km": "ការកែតម្រូវព័ត៌មានមិនពិត",
    "event_en": "Correction of false information",
    "headline_km": "ការបោះឆ្នោតប្រព្រឹត្តទៅនៅថ្ងៃអាទិត្យ តាមការគ្រោងទុក",
    "headline_en": "Voting takes place on Sunday as planned",
    "instruction_km": "សូមទៅបោះឆ្នោតនៅថ្ងៃអាទិត្យ ទី25 ខែកុម្ភៈ ពីម៉ោង 07:00 ដល់ 15:00។ សារដែលថាបានលើកពេលគឺមិនពិតទេ។",
    "instruction_en": (
        "Please vote on Sunday 25 February from 07:00 to 15:00. Messages that speak of another day are false."
    ),
}
