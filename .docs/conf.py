"""The documentation site: ``python -m sphinx -nW --keep-going -j 2 .docs build/site``.

Everything it shows is taken from where it is kept: docstrings, notebooks with their outputs as
committed, the vocabulary, sections of the README. ``_extensions/`` does what Sphinx does not.
"""

import sys
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_extensions")]

import sims_analysis  # noqa: E402

project = "sims_analysis"
author = "sims-analysis contributors"
project_copyright = author
version = release = sims_analysis.__version__
# The header shows the version. No repository is public yet: a link to it stands there once
# pyproject.toml states a `repository` or `source` in [project.urls].
stated = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
project_urls = stated.get("urls", {})

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "myst_nb",  # Markdown, and notebooks
    "sphinx_design",  # cards
    "sphinx_copybutton",
    "gallery",
    "tables",
    "formulas",
    "links",
]
exclude_patterns = ["_extensions", "_templates"]
templates_path = ["_templates"]
smartquotes_action = "De"  # quotes are those of code

# Docstrings: numpydoc, whose types are written for people. A reference to a function, a class or
# an error must lead somewhere; the words of a type need not.
napoleon_google_docstring = False
napoleon_use_rtype = False
napoleon_use_param = False  # parameters that are described together stay together
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False
nitpicky = True
nitpick_ignore_regex = [
    ("py:class", r"sims_analysis\.errors\._WithParts"),  # their common part
    ("py:(class|obj)", r"(?!sims_analysis\b).*"),
    ("py:.*", r"(numpy|scipy|xarray|pandas|pint|matplotlib)\b.*"),  # other sites
]

# Notebooks are shown as they are committed; tests run them.
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
copybutton_only_copy_prompt_lines = False

html_theme = "pydata_sphinx_theme"
html_title = f"sims_analysis {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {page: [] for page in ("index", "vocabulary", "sources", "changes")}
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": True,
    "navbar_persistent": ["search-button"],  # the name of the larger one is not the text on it
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "icon_links": [
        {"name": name, "url": url, "icon": "fa-solid fa-code-branch"}
        for name, url in project_urls.items()
        if name.lower() in ("repository", "source")
    ],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
