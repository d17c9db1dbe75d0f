"""Formulas, which docstrings write as people type them, are typeset: ``Q = integral of u C dz``.

They become MathML, which browsers draw themselves: a page needs no script and no connection for it.
"""

import re
from html import escape
from itertools import pairwise

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

_TOKEN = re.compile(r"\s*(?:(\d+(?:\.\d+)?)|([A-Za-z]\w*'*)|([-=+*/^()\[\]|,;]))")
#: What makes a literal a formula: an operator between spaces, a power, a function.
_FORMULA = re.compile(r" [-=/+] |\w\^[\d(]|\)\^|^(?:sqrt|exp|chi2)\(|\bsum\b|\bintegral of\b")
#: What is no formula: a unit, an address, code.
_OTHER = re.compile(r"[\"'`{}<>:@\\]\S|==|\w\.\w*[A-Za-z]|\w/\w*[a-z]{2}|\(\)|\w=\w|^\w+/\w+\^\d$")
_GREEK = {"lambda": "λ", "mu": "μ", "rho": "ρ", "tau": "τ", "pi": "π", "sigma": "σ", "Phi": "Φ"}
_FUNCTIONS = {"exp", "ln", "log", "tr", "max", "min", "var", "erf", "erfc", "cosh"}
#: Symbols of two letters: a letter and its index.
_INDEXED = {"xj": ("x", "j"), "Rp": ("R", "p"), "chi2": ("χ", "2")}


class _Unread(ValueError):
    """It is no formula of this grammar."""


class _Reader:
    """A reader of formulas by recursive descent; what it reads is given as MathML."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        self.calls: set[int] = set()  # places of brackets that hold an argument: ``C(z)``
        at = 0
        while at < len(text.rstrip()):
            found = _TOKEN.match(text, at)
            if found is None:
                raise _Unread(text[at:])
            if found[0] == "(" and self.tokens and self.tokens[-1][0].isalpha():
                self.calls.add(len(self.tokens))
            self.tokens.append(found[0].strip())
            at = found.end()
        self.at = 0
        self.bars = 0

    @property
    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self, wanted: str = "") -> str:
        word = self.next
        if not word or (wanted and word != wanted):
            raise _Unread(f"{wanted} at {self.at}")
        self.at += 1
        return word

    def formula(self) -> str:
        """Read sides and lists: ``a = b = c``, ``f; g``."""
        parts = [self.sum()]
        while self.next in ("=", ",", ";"):
            parts += [f"<mo>{self.take()}</mo>", self.sum()]
        return "".join(parts)

    def sum(self) -> str:
        parts = []
        if self.next == "-":
            parts.append(f"<mo>{_minus(self.take())}</mo>")
        parts.append(self.product())
        while self.next in ("+", "-"):
            parts += [f"<mo>{_minus(self.take())}</mo>", self.product()]
        return "".join(parts)

    def product(self, *, whole: bool = True) -> str:
        """Read factors side by side; `whole`: with what they are divided by."""
        parts = [self.factor()]
        while True:
            if whole and self.next == "/":
                self.take()
                over = _bare(parts[0]) if len(parts) == 1 else _joined(parts)
                parts = [f"<mfrac>{_row(over)}{_row(_bare(self.factor()))}</mfrac>"]
            elif self.next == "*":
                self.take()
                parts += ["<mo>×</mo>", self.factor()]
            elif self._begins_factor():
                parts.append(self.factor())
            else:
                return _joined(parts)

    def _begins_factor(self) -> bool:
        word = self.next
        if word == "|":
            return self.bars == 0
        return word != "dz" and (word[:1].isalnum() or word in ("(", "["))

    def factor(self) -> str:
        base = self.base()
        if self.next != "^":
            return base
        self.take()
        minus = f"<mo>{_minus(self.take())}</mo>" if self.next == "-" else ""
        bracketed = self.next == "("
        raised = self.inside("(", ")", shown=False) if bracketed else self.base()
        return f"<msup>{_row(base)}{_row(minus + raised)}</msup>"

    def base(self) -> str:
        word = self.next
        if word in ("(", "["):
            return self.inside(word, {"(": ")", "[": "]"}[word])
        if word == "|":
            self.bars += 1
            inside = self.inside("|", "|")
            self.bars -= 1
            return inside
        if word == "sum":
            self.take()
            return f"<mo>∑</mo>{self.product(whole=False)}"
        if word == "integral" and self.tokens[self.at + 1 : self.at + 2] == ["of"]:
            self.at += 2
            body = self.sum()
            self.take("dz")
            return (
                f"<mo>∫</mo>{body}<mspace width='0.2em'/><mi mathvariant='normal'>d</mi><mi>z</mi>"
            )
        if word == "sqrt":
            self.take()
            if self.next not in ("(", "["):
                raise _Unread("sqrt")
            closing = ")" if self.next == "(" else "]"
            return f"<msqrt>{self.inside(self.next, closing, shown=False)}</msqrt>"
        if word[:1].isdigit():
            return f"<mn>{self.take()}</mn>"
        if word[:1].isalpha():
            symbol = _symbol(self.take())
            if self.at in self.calls:
                return _row(symbol + self.inside("(", ")"))
            if word in _FUNCTIONS and self._begins_factor():
                return _row(f"{symbol}<mspace width='0.17em'/>{self.factor()}")
            return symbol
        raise _Unread(word)

    def inside(self, opening: str, closing: str, *, shown: bool = True) -> str:
        self.take(opening)
        inside = self.formula()
        self.take(closing)
        if not shown:
            return inside
        return f"<mrow><mo>{opening}</mo>{inside}<mo>{closing}</mo></mrow>"


def _minus(sign: str) -> str:
    return sign.replace("-", "−")


def _row(parts: str) -> str:
    return f"<mrow>{parts}</mrow>"


def _bare(factor: str) -> str:
    """Leave out brackets around the whole, which the bar of a fraction replaces."""
    found = re.fullmatch(r"<mrow><mo>[(\[]</mo>(.*)<mo>[)\]]</mo></mrow>", factor)
    if found is None:
        return factor
    depth = 0
    for tag in re.findall(r"</?mrow>", found[1]):
        depth += 1 if tag == "<mrow>" else -1
        if depth < 0:  # the first bracket ends before the last: (a) (b)
            return factor
    return found[1]


def _joined(parts: list[str]) -> str:
    """Set factors side by side, with thin spaces between."""
    text = parts[0]
    for before, part in pairwise(parts):
        text += part if "<mo>×</mo>" in (before, part) else f"<mspace width='0.17em'/>{part}"
    return text


def _symbol(name: str) -> str:
    """Set a symbol, with its index; a word is upright."""
    primes = "<mo>′</mo>" * name.count("'")
    name = name.rstrip("'")
    letter, index = _INDEXED.get(name) or (name, "")
    if name == "chi2":
        return f"<msup>{_letter(letter)}<mn>{index}</mn></msup>"
    if not index:
        found = re.fullmatch(rf"([A-Za-z]|{'|'.join(_GREEK)})(?:_(\w+)|(\d))", name)
        if found:
            letter, index = found[1], found[2] or found[3]
    if index:
        kind = "mn" if index.isdigit() else "mi"
        upright = " mathvariant='normal'" if len(index) > 1 else ""
        return f"<msub>{_letter(letter)}<{kind}{upright}>{escape(index)}</{kind}></msub>{primes}"
    if primes:
        return f"<msup>{_letter(letter)}{_row(primes)}</msup>"
    return _letter(letter)


def _letter(name: str) -> str:
    if name in _GREEK:
        return f"<mi>{_GREEK[name]}</mi>"
    if name in _FUNCTIONS:
        return f"<mi mathvariant='normal'>{name}</mi>"
    if len(name) == 1:
        return f"<mi>{name}</mi>"
    return f"<mtext>{escape(name.replace('_', ' '))}</mtext>"


def mathml(text: str) -> str | None:
    """Typeset a formula; None if the text is none.

    >>> mathml("z = f")
    "<math displaystyle='true'><mi>z</mi><mo>=</mo><mi>f</mi></math>"
    >>> mathml("atom/cm^3"), mathml('kind="ratio"'), mathml("sims.read(path)")
    (None, None, None)
    """
    text = " ".join(text.split())
    if not _FORMULA.search(text) or _OTHER.search(re.sub(r"(?<=\w)'+(?=[ )]|$)", "", text)):
        return None
    try:
        reader = _Reader(text)
        found = reader.formula()
    except _Unread:
        return None
    return None if reader.next else f"<math displaystyle='true'>{found}</math>"


class Formulas(SphinxTransform):
    """Typeset the formulas among what is shown as code."""

    default_priority = 490

    def apply(self) -> None:
        if self.app.builder.format != "html":
            return
        for literal in list(self.document.findall(nodes.literal)):
            found = mathml(literal.astext())
            if found is not None:
                literal.replace_self(nodes.raw("", found, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Formulas)
    return {"parallel_read_safe": True}
