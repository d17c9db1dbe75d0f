"""Measurements that differ, together: a tree with one node for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import xarray as xr

from sims_analysis.dataset.merge import dataset_of_item
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import type_error


def to_datatree(
    items: Sequence[xr.Dataset | SIMSResult] | Mapping[str, xr.Dataset | SIMSResult],
) -> xr.DataTree:
    """Put measurements into one tree, a node each, whatever their species, axes and units.

    Parameters
    ----------
    items : sequence or mapping of Dataset or SIMSResult
        A mapping names the nodes; a name such as ``"wafer 7/centre"`` is a path. Those of a
        sequence are named by their ``data_id``.

    Returns
    -------
    xarray.DataTree
        Its nodes are Datasets as they are: ``tree.map_over_datasets(sims.integrated_dose)`` is
        its dose for each. ``tree.to_netcdf`` and ``tree.to_zarr`` write them as groups.

    Raises
    ------
    ProfileError
        If names are missing or repeated, or are not paths; if a node has data whose axis differs
        from that of the nodes below it.

    See Also
    --------
    from_datatree : The inverse.
    stack : Measurements that are alike, as one Dataset.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> implant, run = map(sims.open_example, ["boron-implant", "sputter-time"])
    >>> tree = sims.to_datatree([implant, run])
    >>> list(tree)
    ['boron-implant', 'sputter-time']
    >>> tree["boron-implant"].to_dataset().sims.integrated_dose().sizes["species"]
    2
    """
    if isinstance(items, Mapping):
        named = {str(name): dataset_of_item(item, repr(name)) for name, item in items.items()}
    else:
        datasets = [dataset_of_item(item, i) for i, item in enumerate(items)]
        names = [str(ds.attrs.get("data_id") or "") for ds in datasets]
        wrong = [name for name, count in Counter(names).items() if count > 1 or not name]
        if wrong:
            raise ProfileError(
                f"data_id {wrong[0]!r} names no single node; give a mapping of names, such as "
                '{"wafer 1": first, "wafer 2": second}',
                argument="items",
            )
        named = dict(zip(names, datasets, strict=True))
    if not named:
        text = "there is nothing to put into a tree: give at least one measurement"
        raise ProfileError(text, code="empty_input", argument="items")
    for name in named:
        if any(part in ("", ".", "..") for part in name.split("/")):
            text = f"{name!r} is not the name of a node: expected 'w1', or a path 'w1/centre'"
            raise ProfileError(text, argument="items")
        _check_axes(name, named)
    return xr.DataTree.from_dict(named)


def _check_axes(name: str, named: Mapping[str, xr.Dataset]) -> None:
    """Refuse a node with other axes than a node above it, whose coordinates it would inherit."""
    ds = named[name]
    for above in map(str, PurePosixPath(name).parents):
        for dim in ds.dims if above in named else ():
            lower, upper = (data.get_index(dim) for data in (ds, named[above]))
            if dim in named[above].dims and not lower.equals(upper):
                text = (
                    f"the {dim} axis of node {name!r} ({lower.size} values) differs from that of "
                    f"{above!r} above it ({upper.size}), and nodes of a path share their axes; "
                    "give them names side by side, such as 'w1/a' and 'w1/b'"
                )
                raise ProfileError(text, argument="items")


def from_datatree(tree: xr.DataTree) -> dict[str, xr.Dataset]:
    """Take the measurements out of a tree.

    Parameters
    ----------
    tree : xarray.DataTree
        As :func:`to_datatree` makes it, or read from a file: ``xarray.open_datatree("lab.nc")``.

    Returns
    -------
    dict of Dataset
        By the paths of their nodes, below the given one; nodes without data are left out.

    Raises
    ------
    ProfileError
        If no node holds data.

    See Also
    --------
    to_datatree : The inverse.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> tree = sims.to_datatree({"wafer 7/centre": ds, "wafer 7/edge": ds})
    >>> nodes = sims.from_datatree(tree["wafer 7"])
    >>> list(nodes), nodes["edge"].identical(ds)
    (['centre', 'edge'], True)
    """
    if not isinstance(tree, xr.DataTree):
        raise type_error("tree", tree, "expected a DataTree")
    datasets = {
        node.relative_to(tree).removeprefix("./"): node.to_dataset()
        for node in tree.subtree
        if node.data_vars
    }
    if not datasets:
        raise ProfileError("no node of the tree has data", code="empty_input", argument="tree")
    return datasets
