"""Pages from templates, which escape what they show; a policy allows their own scripts alone."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jinja2 import Environment
    from markupsafe import Markup


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("sims_analysis.output.pages", ".")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


def render(template: str, *, title: str, scripts: Sequence[str] = (), **context: Any) -> str:
    """Return a page by the template of a name, with its scripts, which no policy of it forbids."""
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts]
    sources = " ".join(f"'sha256-{digest.decode()}'" for digest in digests) or "'none'"
    policy = (
        f"default-src 'none'; script-src {sources}; style-src 'unsafe-inline'; "
        "img-src 'self' data: blob:; base-uri 'none'; form-action 'self'"
    )
    context |= {"policy": policy, "style": resource("interactive.css")}
    context |= {"title": title, "scripts": scripts}
    return _environment().get_template(f"{template}.html").render(context)


def picture(template: str, **context: Any) -> str:
    """Return a picture by the template of a name."""
    return _environment().get_template(f"{template}.svg").render(context)


def markup(text: str) -> Markup:
    """Return HTML that is escaped already."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - of our own making


def resource(name: str) -> str:
    """Return a file of the pages as text."""
    return resources.files("sims_analysis.output.pages").joinpath(name).read_text(encoding="utf-8")
