"""Execute the notebooks in place: ``python notebooks/run.py [01_boron_implant ...]``.

Outputs are kept, so that a code host shows them; what changes from run to run (times, ids) is not.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent


def execute(path: Path) -> nbformat.NotebookNode:
    """Run a notebook top to bottom, in its own folder, and give it with its outputs."""
    notebook = nbformat.read(path, as_version=4)
    # As in a notebook server: figures inline, and this checkout importable.
    env = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    env["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), *filter(None, [env.get("PYTHONPATH")])])
    env["MATPLOTLIBRC"] = str(HERE.parent / "tests" / "matplotlibrc")
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        record_timing=False,
    )
    client.execute(env=env)
    return settled(notebook)


def settled(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Take out what would differ on another run or another machine."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
    )
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list) -> list:
    """Put text together that came in pieces, cut wherever the kernel happened to flush."""
    kept = []
    for output in outputs:
        if "metadata" in output:
            output.metadata = nbformat.from_dict({})
        stream = output.get("name")
        if stream and kept and kept[-1].get("name") == stream:
            kept[-1].text += output.text
        else:
            kept.append(output)
    return kept


def main(names: list[str]) -> None:
    paths = [HERE / f"{name}.ipynb" for name in names] or sorted(HERE.glob("*.ipynb"))
    for path in paths:
        print(path.name)
        nbformat.write(execute(path), path)


if __name__ == "__main__":
    main(sys.argv[1:])
