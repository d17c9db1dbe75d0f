"""The models, one a file: a module that has a ``MODEL`` is named like it; others are their parts.

Other packages add theirs by entry points ``sims_analysis.models``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any

from sims_analysis import plugins
from sims_analysis.errors import ProfileError
from sims_analysis.shapes.model import Model
from sims_analysis.text.arguments import format_argument


@cache
def models() -> dict[str, Model]:
    """Return every model by its name: ``MODEL`` of the modules of this folder, then of plugins."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    of_folder = {module.MODEL.name: module.MODEL for module in modules if hasattr(module, "MODEL")}
    added = plugins.find("sims_analysis.models", fault_of, set(of_folder))
    return of_folder | {model.name: model for model in added}


def fault_of(model: Any) -> str | None:
    """Say why something is not a model; None if it is one."""
    return None if isinstance(model, Model) else f"it is a {type(model).__name__}, no sims.Model"


def find_model(model: str | Model) -> Model:
    """Return a model by its name; ProfileError if there is none."""
    if isinstance(model, Model):
        return model
    selected = models().get(model) if isinstance(model, str) else None
    if selected is None:
        raise ProfileError(
            f"model={format_argument(model)}; expected one of {', '.join(map(repr, models()))}",
            argument="model",
        )
    return selected
