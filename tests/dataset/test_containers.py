"""Files of strangers: what points outside, runs code or unpacks to too much is refused."""

import json
import os
import pickle
import shutil
import zlib
from pathlib import Path

import instrument_files as make
import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.dataset.chunks import zstd_size
from sims_analysis.dataset.containers import check_zarr
from sims_analysis.errors import ArchiveError
from sims_analysis.files import Budget

h5py = pytest.importorskip("h5py")
zarr = pytest.importorskip("zarr")
numcodecs = pytest.importorskip("numcodecs")
KINDS = (".nc", ".zarr")
SECRET = b"root:x:0:0:root:/root:/bin/bash\nadmin:"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "passwd"
    path.write_bytes(SECRET)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A netCDF and a zarr store, to be copied."""
    folder = tmp_path_factory.mktemp("saved")
    return {k: sims.save(sims.open_example("boron-implant"), folder / f"w7{k}") for k in KINDS}


@pytest.fixture
def stored(tmp_path, saved):
    return Path(shutil.copy(saved[".nc"], tmp_path))


def refused(path, *words, **options):
    """Every way that opens a file refuses it, with these words."""
    for open_it in (sims.load, sims.provenance, lambda path: sims.load(path, chunks={})):
        with pytest.raises(ArchiveError) as caught:
            open_it(path)
        assert path.name in str(caught.value)
        for word in words:
            assert word in str(caught.value)


# --- HDF5: other files ------------------------------------------------------------------------


def external_storage(file, secret):
    file.create_dataset("lines", (len(SECRET),), "u1", external=[(secret, 0, len(SECRET))])


def external_link(file, secret):
    with h5py.File(secret.with_name("other.h5"), "w") as other:
        other["lines"] = np.frombuffer(SECRET, "u1")
    file["lines"] = h5py.ExternalLink(secret.with_name("other.h5"), "/lines")


def virtual(file, secret):
    with h5py.File(secret.with_name("other.h5"), "w") as other:
        other["lines"] = np.frombuffer(SECRET, "u1")
    layout = h5py.VirtualLayout((len(SECRET),), "u1")
    layout[:] = h5py.VirtualSource(secret.with_name("other.h5"), "lines", (len(SECRET),))
    file.create_virtual_dataset("lines", layout)


def soft_link(file, secret):
    external_storage(file.create_group("hidden"), secret)
    file["lines"] = h5py.SoftLink("/hidden/lines")


@pytest.mark.few(2)
@pytest.mark.parametrize("lead", [external_storage, external_link, virtual, soft_link])
@pytest.mark.parametrize("group", ["/", "/deep/er"])
def test_a_file_that_leads_to_others_is_refused(tmp_path, stored, secret, lead, group):
    with h5py.File(stored, "a") as file:
        lead(file.require_group(group), secret)
    refused(stored, "w7.nc is not read", "lines", "self-contained file")


@pytest.mark.parametrize("lead", [external_storage, external_link, virtual, soft_link])
def test_an_archive_of_tof_events_that_leads_to_others_is_refused(tmp_path, secret, lead, approved):
    pytest.importorskip("simsh5")
    path = tmp_path / "w7.h5"
    make.sims_h5(path)
    windows = {"11B": (11.0, 11.02)}
    assert sims.read(path, mz_windows=windows).species == ["11B"]
    with h5py.File(path, "a") as file:
        lead(file.require_group("more"), secret)
    with raises(sims.ReadError, "unsafe_file", text=approved):
        sims.read(path, mz_windows=windows)


def test_names_of_one_object_and_circles_of_groups_are_read(stored):
    with h5py.File(stored, "a") as file:
        file["again"] = file["concentration"]
        file.create_group("a")["b"] = file["/"]
    assert "concentration" in sims.load(stored)


# --- HDF5: sizes --------------------------------------------------------------------------------

HUGE = 500_000_000


def two_dimensions(path, rows, columns):
    """Write an array of ones that takes no space."""
    with h5py.File(path, "a") as file:
        big = file.create_dataset(
            "big", (rows, columns), "f8", chunks=(rows // 20, columns // 4), fillvalue=1
        )
        for name, size, dim in zip("nm", big.shape, big.dims, strict=True):
            file.create_dataset(name, (size,), "f4", chunks=(size,)).make_scale(name)
            dim.attach_scale(file[name])


def claims_an_axis(file):
    file.create_dataset("big", (HUGE,), "f8", chunks=(1000,), fillvalue=1.0)


def wide_texts(file):
    file.create_dataset("big", (10,), f"S{HUGE}", chunks=(1,))


@pytest.mark.parametrize("claim", [claims_an_axis, wide_texts])
def test_what_would_need_too_much_memory_is_refused(stored, claim):
    with h5py.File(stored, "a") as file:
        claim(file)
    assert stored.stat().st_size < 200_000
    refused(stored, "'/big'", "needs more memory than the limit of 1,073,741,824 bytes")
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"fletcher32": True}])
def test_a_chunk_that_unpacks_to_more_than_it_holds_is_refused(stored, options):
    with h5py.File(stored, "r+") as file:
        more = file.create_dataset("more", (4,), "f8", chunks=(4,), compression="gzip", **options)
        more.id.write_direct_chunk((0,), zlib.compress(bytes(2**24), 9))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored, max_bytes=2**23)


def test_a_chunk_that_is_deflated_twice_is_refused(stored):
    with h5py.File(stored, "r+") as file:
        filters = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        filters.set_chunk((2**16,))
        filters.set_deflate(9)
        filters.set_deflate(9)
        space = h5py.h5s.create_simple((2**16,))
        more = h5py.h5d.create(file.id, b"more", h5py.h5t.NATIVE_UINT8, space, filters)
        more.write_direct_chunk((0,), zlib.compress(zlib.compress(bytes(2**24), 9), 9))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored, max_bytes=2**23)


@pytest.mark.parametrize("options", [{}, {"shuffle": True}, {"fletcher32": True}])
def test_deflated_chunks_of_their_size_are_read(stored, options):
    values = np.random.default_rng(1).random(100_000)
    with h5py.File(stored, "r+") as file:
        more = file.create_dataset(
            "more", data=values, chunks=50_000, compression="gzip", **options
        )
        more.make_scale()
    assert (sims.load(stored, max_bytes=2**23)["more"] == values).all()


@pytest.mark.slow
def test_the_option_lifts_the_limit_and_dask_needs_less(stored, approved):
    two_dimensions(stored, 1000, 1000)
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored, max_bytes=8_000_000)
    assert sims.load(stored, max_bytes=9_000_000)["big"].sum() == 1e6
    assert sims.load(stored, chunks={}, max_bytes=1_000_000)["big"].sum() == 1e6
    with raises(TypeError, text=approved):
        sims.load(stored, max_bytes="1 GB")
    with raises(ValueError, text=approved):
        sims.load(stored, max_bytes=0)


@pytest.mark.slow
def test_arrays_larger_than_memory_are_opened_with_dask(stored):
    two_dimensions(stored, 40_000, 4_000)
    assert sims.load(stored, chunks={})["big"].shape == (40_000, 4_000)
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dataset", "attribute"])
def test_one_long_text_that_is_named_many_times_is_refused(tmp_path, kind):
    """Each element names a text in a heap of the file: all may name the same, a long one."""
    path = tmp_path / "w7.nc"
    count, long = 150, 100_000
    with h5py.File(path, "w") as file:
        texts = ["b" * long, *["a"] * (count - 1)]
        if kind == "dataset":
            file.create_dataset("big", data=texts, dtype=h5py.string_dtype())
        else:
            file.attrs.create("big", texts, dtype=h5py.string_dtype())
    content = path.read_bytes()
    # Length, address of the heap, number of the object.
    first = content.index(long.to_bytes(4, "little"))
    while len({content[first + 4 : first + 12], content[first + 20 : first + 28]}) == 3:
        first = content.index(long.to_bytes(4, "little"), first + 1)
    element = content[first : first + 16]
    path.write_bytes(content[:first] + element * count + content[first + 16 * count :])
    with h5py.File(path) as file:
        named = file["big"][-1] if kind == "dataset" else None
        assert named is None or len(named) == long
    for chunks in (None, {}):
        with raises(ArchiveError, "too_large", argument="max_bytes"):
            sims.load(path, chunks=chunks, max_bytes=2**23)


# --- what save notes beside the data ------------------------------------------------------------


def noted(path, change):
    with h5py.File(path, "a") as file:
        memo = json.loads(file.attrs["sims_analysis_storage"])
        change(memo)
        file.attrs["sims_analysis_storage"] = json.dumps(memo)


def test_texts_of_five_hundred_million_letters_are_refused(stored):
    noted(stored, lambda memo: memo["text"].update(species=f"<U{HUGE}"))
    for open_it in (sims.load, sims.provenance):
        with raises(ArchiveError, "too_large", argument="max_bytes"):
            open_it(stored)


def test_arrays_of_wide_texts_in_attributes_are_refused(stored):
    wide = {"__ndarray__": ["a"], "dtype": f"<U{HUGE}"}
    noted(stored, lambda memo: memo["attrs"].update({"": {"note": wide}}))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored)


def test_a_large_attribute_counts(tmp_path):
    with h5py.File(tmp_path / "w7.nc", "w", libver="latest") as file:
        file.attrs["big"] = np.zeros(2**18)
    with raises(ArchiveError, "too_large", argument="max_bytes") as caught:
        sims.load(tmp_path / "w7.nc", max_bytes=2**20)
    assert "of '/'" in str(caught.value)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "change",
    [lambda memo: memo.pop("added"), lambda memo: memo["text"].update(nobody="<U3"),
     lambda memo: memo["text"].update(species="no type"), lambda memo: memo.update(attrs=[1]),
     lambda memo: memo["attrs"].update({"": {"note": {"__tuple__": 5}}})],
)  # fmt: skip
def test_a_damaged_note_is_an_error_that_names_it(stored, change):
    noted(stored, change)
    with raises(ArchiveError, "damaged_file"):
        sims.load(stored)


# --- zarr ---------------------------------------------------------------------------------------


class Owns:
    """Writes a file when it is read by pickle."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


ARRAY = {
    "zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "compressor": None,
    "fill_value": None, "order": "C", "filters": [{"id": "pickle", "protocol": 5}],
}  # fmt: skip
INNER = [{"name": "bytes"}, {"name": "numcodecs.pickle", "configuration": {}}]
SHARDED = [{"name": "sharding_indexed", "configuration": {"codecs": INNER}}]
STORES = {
    "array": {"a/.zarray": ARRAY, ".zgroup": {"zarr_format": 2}},
    "consolidated": {".zmetadata": {"metadata": {"a/.zarray": ARRAY}}},
    "compressor": {"a/.zarray": {**ARRAY, "filters": None, "compressor": {"id": "Pickle"}}},
    "format 3": {"a/zarr.json": {"zarr_format": 3, "codecs": INNER}},
    "shards": {"zarr.json": {"consolidated_metadata": {"metadata": {"a": {"codecs": SHARDED}}}}},
}


@pytest.mark.parametrize("kind", STORES)
def test_a_store_whose_filters_run_code_is_refused(tmp_path, kind):
    store, owned = tmp_path / "w7.zarr", tmp_path / "owned"
    (store / "a").mkdir(parents=True)
    (store / "a" / "0").write_bytes(pickle.dumps([Owns(owned), (1,)]))
    for name, metadata in STORES[kind].items():
        (store / name).write_text(json.dumps(metadata))
    with raises(ArchiveError, "unsafe_file") as caught:
        sims.load(store)
    assert any(f" {name} has the filter" in str(caught.value) for name in STORES[kind])
    assert not owned.exists()


def test_attributes_may_speak_of_pickles(tmp_path):
    ds = sims.open_example("boron-implant").assign_attrs(
        filters=[{"id": "pickle"}], comment="pickle", codecs="pickle"
    )
    ds["concentration"].attrs["codecs"] = "pickle"
    sims.save(ds, tmp_path / "w7.zarr")
    assert sims.load(tmp_path / "w7.zarr").identical(ds)


def test_other_metadata_may_speak_of_pickles(tmp_path):
    metadata = {
        "codecs": [{"name": "bytes"}], "dimension_names": ["pickle"], "data_type": "pickle",
        "attributes": {"codecs": [{"name": "pickle"}]}, ".zattrs": {"filters": "pickle"},
        "metadata": {"a/.zattrs": {"compressor": {"id": "pickle"}}},
    }  # fmt: skip
    (tmp_path / "zarr.json").write_text(json.dumps(metadata))
    check_zarr(tmp_path, Budget())


# What strict JSON refuses, and zarr reads.
LENIENT = ['{"a": NaN, %s', '{"a": "\\ud800", %s', "\ufeff{%s", '{"a": 1, "a": -Infinity, %s']


@pytest.mark.parametrize("kind", ["array", "compressor", "format 3"])
@pytest.mark.parametrize("lenient", [*LENIENT, "utf-16"])
def test_code_behind_what_strict_json_refuses_is_refused(tmp_path, kind, lenient):
    store, owned = tmp_path / "w7.zarr", tmp_path / "owned"
    (store / "a").mkdir(parents=True)
    (store / "a" / "0").write_bytes(pickle.dumps([Owns(owned), (1,)]))
    for name, metadata in STORES[kind].items():
        text = json.dumps(metadata)
        text = text if lenient == "utf-16" else lenient % text[1:]
        (store / name).write_text(text, encoding="utf-16" if lenient == "utf-16" else "utf-8")
    with raises(ArchiveError, "unsafe_file"):
        sims.load(store)
    assert not owned.exists()


@pytest.fixture
def store(tmp_path, saved):
    return Path(shutil.copytree(saved[".zarr"], tmp_path / "w7.zarr"))


@pytest.mark.parametrize("name", [".zmetadata", "depth/.zarray", ".zattrs"])
@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\xfd", b"[" * 100_000])
def test_metadata_that_cannot_be_read_are_refused(store, name, content):
    (store / name).write_bytes(content)
    refused(store, f"w7.zarr is not read: {name} cannot be read")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize("name", ["concentration", "concentration/0.0", "depth/.zarray", "new"])
def test_a_store_with_links_is_refused(store, secret, name):
    path = store / name
    target = secret
    if path.exists():
        target = path.rename(store.parent / "elsewhere")
    path.symlink_to(target)
    refused(store, repr(name), "points outside")


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_the_code_of_a_linked_array_is_not_run(tmp_path, store):
    owned, elsewhere = tmp_path / "owned", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / ".zarray").write_text(json.dumps(ARRAY))
    (elsewhere / ".zattrs").write_text('{"_ARRAY_DIMENSIONS": ["n"]}')
    (elsewhere / "0").write_bytes(pickle.dumps([Owns(owned), (1,)]))
    (store / "note").symlink_to(elsewhere)
    (store / ".zmetadata").unlink()
    refused(store, "'note' points outside")
    assert not owned.exists()


def test_a_store_may_be_a_link_itself(store):
    if os.name != "nt":
        (store.parent / "other.zarr").symlink_to(store)
        assert "concentration" in sims.load(store.parent / "other.zarr")


@pytest.mark.parametrize(
    ("change", "lazily"),
    [({"shape": [500_000_000, 10]}, False), ({"chunks": [500_000_000, 10]}, True),
     ({"dtype": "<U500000000"}, True)],
)  # fmt: skip
def test_an_array_that_would_need_too_much_memory_is_refused(store, change, lazily):
    for name in (".zmetadata", "concentration/.zarray"):
        metadata = json.loads((store / name).read_text())
        arrays = metadata.get("metadata", {"concentration/.zarray": metadata})
        arrays["concentration/.zarray"] |= change
        (store / name).write_text(json.dumps(metadata))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(store)
    if lazily:
        with raises(ArchiveError, "too_large", argument="max_bytes"):
            sims.load(store, chunks={})


def test_metadata_without_end_are_refused_before_they_are_decoded(store):
    (store / ".zattrs").write_text('{"a": [' + "[]," * 6_000_000 + "[]]}")
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(store)


def test_what_zarr_itself_cannot_store_strictly_is_read(tmp_path):
    """NaN in metadata is what zarr writes."""
    ds = xr.Dataset({"a": ("x", [1.0, np.nan])}, attrs={"limit": float("nan")})
    ds.to_zarr(tmp_path / "w.zarr", zarr_format=2)
    assert np.isnan(sims.load(tmp_path / "w.zarr").attrs["limit"])


@pytest.mark.parametrize(
    "change",
    [
        {"fill_value": 10**400},
        {"shape": [1.5, 4]},
        {"dtype": "|V999999999999"},
        {},
    ],
)
def test_metadata_that_make_no_sense_are_refused(store, change):
    known = json.loads((store / ".zmetadata").read_text())
    known["metadata"]["concentration/.zarray"] |= change
    (store / ".zmetadata").write_text(json.dumps(known))
    # A chunk that says that it has -1 bytes.
    (store / "concentration" / "0.0").write_bytes(b"\x02\x01\0\0" + b"\xff" * 16)
    with pytest.raises(ArchiveError):
        sims.load(store)


PACKED = {
    "zlib": numcodecs.Zlib(9), "gzip": numcodecs.GZip(9), "zstd": numcodecs.Zstd(9),
    "lz4": numcodecs.LZ4(), "blosc": numcodecs.Blosc(clevel=9),
    "blosc of zlib": numcodecs.Blosc("zlib", 9),
}  # fmt: skip


def packed_store(path, codec, **options):
    """Write a store of one array, and return the file of its chunk."""
    values = xr.Dataset({"a": (("x", "y"), np.arange(8.0).reshape(2, 4))})
    values.to_zarr(path, zarr_format=2, encoding={"a": {"compressors": [codec], **options}})
    return path / "a" / "0.0"


@pytest.mark.few(3)
@pytest.mark.parametrize("kind", PACKED)
@pytest.mark.parametrize("chunks", [None, {}])
def test_a_chunk_of_zarr_that_unpacks_to_more_is_refused(tmp_path, kind, chunks):
    chunk = packed_store(tmp_path / "w.zarr", PACKED[kind])
    assert sims.load(tmp_path / "w.zarr", chunks=chunks, max_bytes=2**20)["a"].sum() == 28
    chunk.write_bytes(PACKED[kind].encode(bytes(2**21)))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(tmp_path / "w.zarr", chunks=chunks, max_bytes=2**20)


@pytest.mark.parametrize("kind", PACKED)
def test_a_damaged_chunk_of_zarr_is_an_error_that_names_the_file(tmp_path, kind):
    chunk = packed_store(tmp_path / "w.zarr", PACKED[kind])
    for content in (b"", b"garbage" * 9, chunk.read_bytes()[:-9]):
        chunk.write_bytes(content)
        with pytest.raises(ArchiveError):
            sims.load(tmp_path / "w.zarr")


@pytest.mark.parametrize("kind", ["zstd", "gzip"])
def test_every_frame_is_counted(tmp_path, kind):
    chunk = packed_store(tmp_path / "w.zarr", PACKED[kind])
    one, many = PACKED[kind].encode(bytes(64)), PACKED[kind].encode(bytes(2**21))
    skipped = bytes.fromhex("502a4d18") + (4).to_bytes(4, "little") + b"note"
    for content in (one + many, *([skipped + many] if kind == "zstd" else [])):
        chunk.write_bytes(content)
        with raises(ArchiveError, "too_large", argument="max_bytes"):
            sims.load(tmp_path / "w.zarr", max_bytes=2**20)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int8])
@pytest.mark.parametrize("size", [0, 1, 1000, 500_000])
def test_a_chunk_of_zstd_has_no_more_than_its_blocks(dtype, size):
    values = np.random.default_rng(1).integers(0, 100, size).astype(dtype).tobytes()
    bound = zstd_size(bytes(numcodecs.Zstd(3).encode(values)), 0)
    assert len(values) <= bound <= len(values) + 2 * 2**17


def test_blocks_of_zstd_that_repeat_a_byte_are_counted():
    block = (2**17 << 3 | 1 << 1).to_bytes(3, "little") + b"a"
    last = (2**17 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"a"
    head = b"\x28\xb5\x2f\xfd\xa0" + (3 * 2**17).to_bytes(4, "little")
    content = head + block + block + last
    assert len(numcodecs.Zstd().decode(content)) == zstd_size(content, 0) == 3 * 2**17
    assert zstd_size(head + block + block, 0) == 2 * 2**17, "what is cut off ends"


def test_arrays_whose_chunks_cannot_be_measured_are_refused(tmp_path):
    packed_store(tmp_path / "twice.zarr", numcodecs.Zlib(), filters=[numcodecs.Zlib()])
    group = zarr.create_group(tmp_path / "shards.zarr")
    group.create_array("a", shape=(4,), chunks=(2,), shards=(4,), dtype="f8", dimension_names=["x"])
    packed_store(tmp_path / "bz2.zarr", numcodecs.BZ2())
    for name in ("twice", "shards", "bz2"):
        with raises(ArchiveError, "unsafe_file"):
            sims.load(tmp_path / f"{name}.zarr")


def test_a_number_of_texts_that_is_not_true_is_refused(tmp_path):
    ds = xr.Dataset({"a": ("x", np.array(["one", "two"], dtype=object))})
    packed = {"a": {"compressors": [numcodecs.Zstd()]}}
    ds.to_zarr(tmp_path / "w.zarr", zarr_format=2, encoding=packed)
    assert sims.load(tmp_path / "w.zarr")["a"].values.tolist() == ["one", "two"]
    content = (2**31 - 1).to_bytes(4, "little") + bytes(8)
    (tmp_path / "w.zarr" / "a" / "0").write_bytes(numcodecs.Zstd().encode(content))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(tmp_path / "w.zarr")


@pytest.mark.parametrize("chunks", [None, {}])
def test_chunks_over_several_dimensions_are_measured_too(stored, chunks):
    with h5py.File(stored, "r+") as file:
        more = file.create_dataset("more", (4, 4), "f8", chunks=(4, 4), compression="gzip")
        more.id.write_direct_chunk((0, 0), zlib.compress(bytes(2**24), 9))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored, chunks=chunks, max_bytes=2**23)
    with h5py.File(stored, "r+") as file:
        del file["more"]
        file.create_dataset("wide", (2**20, 2**10), "f8", chunks=(2**20, 4))
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(stored, chunks={}, max_bytes=2**23)


def test_of_a_file_larger_than_the_limit_what_is_read_at_once_is_measured(tmp_path):
    path, packed = tmp_path / "large.nc", {"zlib": True}
    values = {"large": (("n", "m"), np.ones((512, 512))), "deep": (("a", "b"), np.ones((4, 4)))}
    ds = xr.Dataset({**values, "flat": ("a", np.ones(4))}, attrs={"title": "w7"})
    ds.to_netcdf(path, engine="h5netcdf", encoding={"deep": packed, "flat": packed})
    for name, start in {"deep": (0, 0), "flat": (0,)}.items():
        assert sims.load(path, chunks={}, max_bytes=2**20)[name].sum() > 0
        with h5py.File(path, "r+") as file:
            file[name].id.write_direct_chunk(start, zlib.compress(bytes(2**24), 9))
        if name == "deep":
            assert sims.load(path, chunks={}, max_bytes=2**20)["large"].sum() == 2**18
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        sims.load(path, chunks={}, max_bytes=2**20)
