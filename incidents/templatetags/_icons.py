"""Line icons of the pages: paths on a 24-unit grid, in the text's colour. Decorative: the word stands beside."""

ICONS: dict[str, str] = {
    "plus": '<path d="M12 5v14M5 12h14"/>',
    "minus": '<path d="M5 12h14"/>',
    "list": '<path d="M9 6h11M9 12h11M9 18h11"/><circle cx="4.5" cy="6" r="1"/><circle cx="4.5" cy="12" r="1"/>'
    '<circle cx="4.5" cy="18" r="1"/>',
    "home": '<path d="M4 11l8-7 8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z"/>',
    "bell": '<path d="M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15z"/><path d="M10 20.5h4"/>',
    "down": '<path d="M6 9.5l6 6 6-6"/>',
    "right": '<path d="M9.5 6l6 6-6 6"/>',
    "left": '<path d="M14.5 6l-6 6 6 6"/>',
    "theme": '<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/>',
    "menu": '<path d="M4 7h16M4 12h16M4 17h16"/>',
    "tick": '<path d="M4.5 12.5l5 5 10-11"/>',
    "map": '<path d="M9 4L3.5 6.5v13L9 17l6 2.5 5.5-2.5V4L15 6.5z"/><path d="M9 4v13M15 6.5v13"/>',
    "up": '<path d="M12 20V4.5M5.5 11L12 4.5 18.5 11"/>',
    "back": '<path d="M12 4v15.5M5.5 13l6.5 6.5 6.5-6.5"/>',
    "cross": '<path d="M6 6l12 12M18 6L6 18"/>',
    "draft": '<path d="M6 3.5h8l4 4V12M6 3.5V20h5"/><path d="M14 20l.6-2.8L19.5 12.3l2.2 2.2-4.9 4.9z"/>',
    "warning": '<path d="M12 3.5L21.5 20h-19z"/><path d="M12 10v4.5M12 17.3v.2"/>',
    "info": '<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5.5M12 7.7v.2"/>',
    "print": '<path d="M7 9V4h10v5M7 17H4V9.5h16V17h-3"/><path d="M7 14h10v6H7z"/>',
    "pencil": '<path d="M4 20l1-4.5L16.5 4l3.5 3.5L8.5 19z"/>',
    "camera": '<path d="M4 8h3.5L9 5.5h6L16.5 8H20v11H4z"/><circle cx="12" cy="13" r="3.3"/>',
    "filter": '<path d="M4 6h16M7 12h10M10 18h4"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5"/>',
    "document": '<path d="M6 3.5h8l4 4V20a.5.5 0 0 1-.5.5h-11A.5.5 0 0 1 6 20z"/><path d="M14 3.5V8h4M9 12h6M9 16h6"/>',
    "again": '<path d="M19.5 12a7.5 7.5 0 0 1-13.3 4.8M4.5 12a7.5 7.5 0 0 1 13.3-4.8"/>'
    '<path d="M18.5 3v4.5H14M5.5 21v-4.5H10"/>',
    "people": '<circle cx="9" cy="8.5" r="3.3"/>'
    '<path d="M2.5 20c.6-3.8 3.2-5.8 6.5-5.8s5.9 2 6.5 5.8M16 5.5a3.3 3.3 0 0 1 0 6.3'
    'M18 14.6c2 .7 3.2 2.5 3.6 5"/>',
    "person": '<circle cx="12" cy="8" r="3.8"/><path d="M4.5 20.5c.7-4.3 3.7-6.6 7.5-6.6s6.8 2.3 7.5 6.6"/>',
    "lock": '<rect x="5" y="10.5" width="14" height="10" rx="1.5"/><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3"/>',
    "flag": '<path d="M5.5 21V4M5.5 4.5h12l-2.5 4 2.5 4h-12"/>',
    "offline": '<path d="M3 3l18 18M8.5 15.5a5 5 0 0 1 6.5-.4M5 12a10 10 0 0 1 4.5-2.6M19 12a10 10 0 0 0-5-2.8'
    'M2 8.5A15 15 0 0 1 6 6M22 8.5A15 15 0 0 0 10.5 5M12 19.3v.2"/>',
    "download": '<path d="M12 4v11M7 10.5l5 5 5-5M4.5 19.5h15"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.4 2"/>',
    "phone": '<path d="M6 3.5h3.5l1.5 4.5-2.3 1.7a12 12 0 0 0 5.6 5.6L16 13l4.5 1.5V18a2.5 2.5 0 0 1-2.7 2.5'
    'C10.5 20 4 13.5 3.5 6.2A2.5 2.5 0 0 1 6 3.5z"/>',
    "save": '<path d="M5 4.5h11l3 3V19.5H5z"/><path d="M8 4.5v5h7v-5M8 19.5v-6h8v6"/>',
    "full": '<path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5"/>',
    "arrow": '<path d="M4 12h15.5M13.5 6l6 6-6 6"/>',
    "eye": '<path d="M2.5 12c2.5-4.5 5.7-6.5 9.5-6.5s7 2 9.5 6.5c-2.5 4.5-5.7 6.5-9.5 6.5s-7-2-9.5-6.5z"/>'
    '<circle cx="12" cy="12" r="2.8"/>',
    "star": '<path d="M12 4l2.4 5 5.4.7-4 3.8 1 5.5L12 16.4 7.2 19l1-5.5-4-3.8 5.4-.7z"/>',
    "shield": '<path d="M12 3.5l7.5 2.8v5.5c0 4.5-3 7.5-7.5 9-4.5-1.5-7.5-4.5-7.5-9V6.3z"/>',
    "aim": '<circle cx="12" cy="12" r="6.5"/><path d="M12 2.5v4M12 17.5v4M2.5 12h4M17.5 12h4"/>',
    "key": '<circle cx="8" cy="15.5" r="4"/><path d="M11 12.5L19.5 4M15.5 8l3 3M18 5.5l2 2"/>',
    "gear": '<circle cx="12" cy="12" r="3"/><path d="M12 3.5v3M12 17.5v3M3.5 12h3M17.5 12h3M6 6l2.1 2.1M15.9 15.9L18 18'
    'M18 6l-2.1 2.1M8.1 15.9L6 18"/>',
    "leave": '<path d="M10 4.5H5v15h5M9.5 12h11M16.5 8l4 4-4 4"/>',
    "link": '<path d="M10 14a4 4 0 0 0 5.7 0l3.2-3.2a4 4 0 0 0-5.7-5.7L12 6.3M14 10a4 4 0 0 0-5.7 0L5.1 13.2'
    'a4 4 0 0 0 5.7 5.7L12 17.7"/>',
    "pause": '<path d="M8.5 5v14M15.5 5v14"/>',
    "play": '<path d="M7.5 4.5v15l11-7.5z"/>',
    "scales": '<path d="M12 4v16M7.5 20h9M5 6.5h14M5 6.5L2.5 13a3 3 0 0 0 5 0zM19 6.5L16.5 13a3 3 0 0 0 5 0z"/>',
    "join": '<path d="M6 4v5c0 4 6 3 6 8v3M18 4v5c0 4-6 3-6 8"/>',
}

#: Severity: the shape says it as well as the colour does. An 18-unit grid.
SHAPES: dict[str, str] = {
    "critical": '<path d="M5.8 1.5h6.4l4.3 4.3v6.4l-4.3 4.3H5.8l-4.3-4.3V5.8z"/>'
    '<path d="M9 5v5M9 12.6v.2" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>',
    "high": '<path d="M9 1.8L17 16H1z" stroke-linejoin="round"/>',
    "medium": '<path d="M9 1.3L16.7 9 9 16.7 1.3 9z" stroke-linejoin="round"/>',
    "low": '<circle cx="9" cy="9" r="6.5"/>',
    "unrated": '<circle cx="9" cy="9" r="6.5"/>',
}

#: Verification: dashed, half, ticked, struck, question.
RINGS: dict[str, tuple[str, str]] = {
    "unverified": ("unverified", '<circle cx="9" cy="9" r="7" stroke-dasharray="2.8 2.6"/>'),
    "partially_corroborated": (
        "partial",
        '<circle cx="9" cy="9" r="7"/><path d="M9 2a7 7 0 0 1 0 14z" fill="currentColor" stroke="none"/>',
    ),
    "verified": (
        "verified",
        '<circle cx="9" cy="9" r="7.5" fill="currentColor" stroke="none"/>'
        '<path class="ring__tick" d="M5.3 9.2l2.5 2.5 4.8-5.2" stroke-width="2"/>',
    ),
    "refuted": ("refuted", '<circle cx="9" cy="9" r="7"/><path d="M4 14L14 4"/>'),
    "unverifiable": (
        "unverifiable",
        '<circle cx="9" cy="9" r="7"/><path d="M7 7.3a2 2 0 1 1 2.8 1.9c-.6.3-.8.7-.8 1.3M9 12.8v.1"/>',
    ),
}
