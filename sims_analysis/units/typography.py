"""Normalize the many ways in which a unit is typeset.

Instruments, spreadsheets, LaTeX tables, web pages and East Asian keyboards all write the same unit
differently. Here characters and markup become plain text; :mod:`sims_analysis.units.spelling` reads
the words.
"""

from __future__ import annotations

import re
import unicodedata

#: Invisible characters from byte order marks and from text copied from web pages.
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\u00ad"
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys(_INVISIBLE),
        # The full-width forms of ASCII are in the same order, at this offset.
        **{chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)},
        **dict.fromkeys("‐‑‒–−", "-"),
        **dict.fromkeys("·⋅∙•×", "*"),
        **dict.fromkeys("∕⁄", "/"),
        "ˆ": "^",
        "μ": "µ",
    }
    | {"㎚": "nm", "㎛": "µm", "㎜": "mm", "㎝": "cm", "㏄": "cc"}
    | {"㎤": "cm^3", "㎥": "m^3", "㎠": "cm^2", "㎡": "m^2"}
)
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
#: In brackets or quotes, none of the kind inside.
_ENCLOSED = re.compile(r"""\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|'[^']*'|"[^"]*\"""")

_MARKUP = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"\*\*", "^"),
        # As Origin writes powers.
        (r"\\\+\(\s*([+-]?\d+)\s*\)", r"^\1"),
        (r"\\(?:textmu|upmu|micro|mu)(?![A-Za-z])\s*", "µ"),
        (r"\\(?:AA|angstrom)(?![A-Za-z])|\\r\s*\{?A\}?|\\mathring\s*\{A\}", "Å"),
        (r"\$|\{\}|\\[()!]", ""),
        (r"~|\\[ ,;:]", " "),
        (r"\\(?:cdot|times)(?![A-Za-z])", "*"),
        (r"\\%", "%"),
        (r"\\textsuperscript(?=\s*\{)", "^"),
        (r"<sup>\s*([+-]?\d+)\s*</sup>", r"^\1"),
        (r"\\(?:mathrm|mathsf|textrm|text|ensuremath|rm|si|unit)\s*\{([^{}]*)\}", r"\1"),
        (r"\^\s*[({]\s*([+-]?\d+)\s*[)}]", r"^\1"),
    )
)


def plain(text: str) -> str:
    r"""Write a unit in plain characters: ``^`` for powers, ``*``, ``/``, no enclosing brackets.

    ``cm^-3`` of ``"cm⁻³"`` and of ``"$\mathrm{cm}^{-3}$"``, ``µm`` of ``"(㎛)"``.
    """
    # NFC, never NFKC: NFKC turns the superscript minus of cm⁻³ into U+2212.
    result = unicodedata.normalize("NFC", text)
    result = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m.group().translate(_SUPERSCRIPTS), result)
    # Apply the last patterns twice, because a power inside \mathrm{} has its own braces.
    result = result.translate(_CHARACTERS)
    for pattern, replacement in (*_MARKUP, *_MARKUP[-2:]):
        result = pattern.sub(replacement, result)
    result = result.strip()
    while _ENCLOSED.fullmatch(result):
        result = result[1:-1].strip()
    result = _PER_RATE.sub("/(count/s)", result)
    result = re.sub(r"\bper\b", "/", result, flags=re.IGNORECASE)
    for word, power in (("cubic", 3), ("square", 2)):
        result = re.sub(rf"\b{word}\s+([A-Za-zµ]+)", rf"\1^{power}", result, flags=re.IGNORECASE)
    return result.strip()


#: ``atoms/cm^3 per count/s``: the slash binds more closely than "per".
_PER_RATE = re.compile(
    r"\bper\s+\(?\s*(?:counts?|cnts?|cts?|c)\s*(?:/|per)\s*s(?:ec(?:ond)?)?\b\s*\)?", re.IGNORECASE
)
