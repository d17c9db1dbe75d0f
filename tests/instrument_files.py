"""Files in the layouts of instruments and laboratories, made of numbers that are known."""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

#: Seconds that one count stands for in the CAMECA export: counting time times yield.
RPC_TIME = 1.04 * 0.952


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STYLES = """<numFmts><numFmt numFmtId="164" formatCode="0.0%"/>
<numFmt numFmtId="165" formatCode='yyyy"a"'/><numFmt numFmtId="166" formatCode='0.0"dm%"'/>
<numFmt numFmtId="167" formatCode="[h]:mm"/><numFmt numFmtId="168" formatCode="[Red]0"/></numFmts>
<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>"""
_SHOWN = [0, 9, 10, 14, 22, 45, 164, 165, 166, 167, 168, 13, 23]


def cnt(counts, time=RPC_TIME):
    """Write rates as the CAMECA software does: six digits, 0.001 where nothing was counted."""
    rates = np.asarray(counts) / time
    return np.where(np.asarray(counts) == 0, 0.001, [float(f"{r:.5E}") for r in rates])


def three_digits(value, places=5):
    """Write a number as old Microsoft compilers do: ``1.00000E-003``."""
    mantissa, exponent = f"{value:.{places}E}".split("E")
    return f"{mantissa}E{exponent[0]}{int(exponent[1:]):03}"


def cameca_rpc(
    species,
    *,
    unit="um",
    end=True,
    points=None,
    delimiter="\t",
    layers=1,
    rsf=None,
    dose=None,
    reference="",
    mass_header=None,
    data=True,
):
    """Write a .dp_rpc_asc.

    Parameters
    ----------
    species : dict
        Name -> (times or None, depths or None, values, "C" or "I").
    """
    cells = delimiter
    lines = ["*** DATA FILES ***", "", "Raw data file name(s)\tw7.dp", "Sample ID\t\tW7 centre\t"]
    lines += ["Sample code\t\t\t", "Analysis date\t\t03/25/2024", "Analysis time\t\t14:05\t", ""]
    longest = max(len(v) for _, _, v, _ in species.values())
    if data:
        lines += ["*** DATA START ***", "", "w7.dp"]
        if delimiter == "\t":
            lines.append(("\t" * 5).join(species))
        else:
            lines.append("".join(f"{name};;;" for name in species))
        headers = []
        for t, z, _, kind in species.values():
            value = {"I": "I[cnt/s]", "C": "C[atom/cm3]"}[kind]
            if mass_header:
                headers += [mass_header, value]
            elif delimiter == ";":
                headers += ["Time[s]", f"Depth[{unit}]", value]
            elif z is None:
                headers += ["Time[s]", "", "Depth", value]
            else:
                headers += ["Time" if t is None else "Time[s]", f"Depth[{unit}]", value]
        lines.append(cells.join(headers) + (";" if delimiter == ";" else ""))
        for i in range(longest):
            row = []
            for columns in species.values():
                row += [
                    three_digits(c[i]) if c is not None and i < len(c) else "" for c in columns[:3]
                ]
            text = cells.join(row)
            lines.append(text + ";" if delimiter == ";" else text.rstrip("\t"))
        lines.append("")
        if end:
            lines += ["*** DATA END ***", ""]
    lines += ["*** ANALYSIS POSITION ***", "", "Stage coordinates", "X(um)\t\t\t-836\t"]
    lines += ["Window coordinates", "X(um)\t\t\t663\t", "", "*** ACQUISITION PARAMETERS ***", ""]
    lines += [
        f"# of data point/species\t\t{points or longest}\t",
        "Total sputtering time (s)\t558\t",
    ]
    lines += ["", "*** MEASUREMENT CONDITIONS, w7.dp ***:", ""]
    conditions = [["Species", "Mass (amu)", "Mass (field)", "Detector", "WT(s)", "CT(s)", "Offset"]]
    conditions += [[n, "10.013", "538603", "EM", "0.880", "1.040", "0"] for n in species]
    if delimiter == "\t":
        rows = [" | ".join(f"{cell:12}" for cell in row) for row in conditions]
        lines += [rows[0], "-" * 80, *rows[1:]]
    else:
        lines += [delimiter.join(row) for row in conditions]
    lines += ["", "*** MAIN ANALYTICAL PARAMETERS (MAP) ***", "", "Primary ions\t\t\tO2+\t"]
    lines += ["Impact energy (eV)\t\t10010\t", "Secondary ion polarity\t\t+\t", ""]
    lines += ["*** OPTIONAL INSTRUMENTAL PARAMETERS (OIP) ***", "", "Raster size (um)\t\t150\t"]
    lines += ["Prim beam intensity @t=0 (nA)\t9.962E+001", "Analyzed area size (um)\t\t62\t", ""]
    lines += ["*** ION DETECTOR PARAMETERS ***", "", "EM yield (%)\t\t\t9.5E+001"]
    lines += ["EM background (c/s)\t\t0.0E+000", "EM dead time (ns)\t\t2.5E+001"]
    lines += ["EM -> FC threshold (c/s)\t694356", "FC -> EM threshold (c/s)\t568110", ""]
    lines += ["*** CALIBRATION PARAMETERS ***", "", "Data File name(s)\tw7.dp"]
    for layer in range(layers):
        lines += [f"Layer #{layer + 1} matrix\t\t28Si \t", "  1st Interface (nm)\t0.000E+000\t"]
        lines += ["  2nd Interface (nm)\t2.230E+003\t", "  Depth calib method\tDepth\t\t"]
        lines += ["  Mean SR (nm/min)\t9.599E+001\t"]
        for name in species:
            factor = (rsf or {}).get(name)
            known = (dose or {}).get(name)
            lines += [f"    Species\t\t{name}\t\t"]
            lines += [f"      Conc calib method\t{'RSF' if factor else ''}\t"]
            lines += [f"      RSF  (at/cm3)\t{three_digits(factor, 3) if factor else ''}\t"]
            lines += [f"      Dose (at/cm2)\t{three_digits(known, 3) if known else ''}\t"]
            lines += ["      [C]  (at/cm3)\t", f"      Ref signal\t{reference}\t"]
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def dp_ascii(blocks, *, points=None, title="DEPTH PROFILE : w7.dp"):
    """Write a .dp_ascii of (name, depths, values, depth unit, unit)."""
    stars = "*" * 54
    lines = ["IMS CAMECA", stars, title, stars, "", "Date\t\t\t: 29.11.22   "]
    lines += ["Matrix\t\t: Si", "Sample name\t\t: W7", "", ""]
    for name, depths, values, depth_unit, unit in blocks:
        lines += [f"ELEMENT {name}", f"{points or len(depths)} points"]
        lines += [f"[{depth_unit}]               [{unit}]"]
        lines += [f"{z:.6E}      {v:.6E}" for z, v in zip(depths, values, strict=True)]
        lines += ["", ""]
    return "\r\n".join(lines).encode("latin-1")


def binary(profiles, *, kind=21, order="<", included=1, version=4108, size=4000, counting=5.929):
    """Write a binary CAMECA file of name -> (times, rates)."""
    header = bytearray(size)
    struct.pack_into(f"{order}5i", header, 0, version, kind, size, 0, included)
    header[92:100], header[108:113] = b"05.12.17", b"14:59"
    struct.pack_into(f"{order}i", header, 548, len(profiles))
    start = 552 + 4 * (60 if version >= 4108 else 10) + 4
    for i, name in enumerate(profiles):
        place = start + 192 * i
        struct.pack_into(
            f"{order}2id2i2d2i", header, place, i, 0, 10.5 + i, 0, i % 2, 0.25, counting, 0, 0
        )
        header[place + 65 : place + 65 + len(name)] = name.encode()
    data = [struct.pack(f"{order}i", len(profiles))]
    for times, rates in profiles.values():
        data.append(struct.pack(f"{order}i", len(times)))
        data += [np.asarray(c, f"{order}f8").tobytes() for c in (times, rates)]
    return bytes(header) + b"".join(data)


def iontof(times, signals, *, version=7, comments=("Profile Smoothing is Disabled",)):
    """Write a SurfaceLab export of (name, mass, values)."""
    names, masses, _ = zip(*signals, strict=True)
    lines = [f"# {comment}" for comment in comments]
    if version == 7:
        lines += ["#\t\t\t\t" + "\t".join(names), "#\t\t\t\t" + "\t".join(masses)]
        headers = ["Data Point #", "Sputter Time (s)", "Dose (ions)", "Fluence (ions/cm^2)"]
    else:
        lines += ["#\t" + "\t".join(names), "#\t" + "\t".join(masses)]
        headers = ["Sputter Time (s)"]
    end = "\t" if version == 6 else ""
    lines.append("#" + "\t".join([*headers, *["Intensity"] * len(names)]) + end)
    for i, t in enumerate(times):
        first = [i + 1, t, 2.5e6 * (i + 1), 1e11 * (i + 1)] if version == 7 else [t]
        cells = [f"{c:g}" for c in (*first, *(values[i] for _, _, values in signals))]
        lines.append("\t".join(cells) + end)
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def eag_rows(blocks, spacer=True):
    """Give the rows of a service laboratory's sheet, of (name, depths, values, unit)."""
    rows = [["Evans Analytical Group"], ["Sample : ID W2834"], ["03 Mar 2024"]]
    rows += [
        ["Drawn Curves", len(blocks)],
        ["Num of Cycles", max(len(z) for _, z, _, _ in blocks)],
        [],
    ]
    names, kinds, units = [], [], []
    for name, _, _, unit in blocks:
        gap = [None] if spacer else []
        names += [name, None, *gap]
        kinds += ["Depth", "CONC.", *gap]
        units += ["(nm)", f"({unit})", *gap]
    rows += [names, kinds, units, []]
    for i in range(max(len(z) for _, z, _, _ in blocks)):
        row = []
        for _, z, v, _ in blocks:
            row += [float(z[i]), float(v[i])] if i < len(z) else [None, None]
            row += [None] if spacer else []
        rows.append(row)
    return rows


def srim(depths, columns, *, decimal="."):
    """Write a RANGE.txt of name -> values, the ion first."""
    lines = ["====== B (40) into Silicon =======", "        SRIM-2013.00", "=" * 50]
    lines += ["      ION and final RECOIL ATOM Distributions     ", "=" * 50]
    lines += [" Ion    = B   Energy = 40  keV", " Ion Average Range =   159.5E+01 A   Straggling =   308.0E+00 A"]  # fmt: skip  # noqa: E501
    lines += [" Range Skewne- = -000.9924  &= [-(X-Rp)^3]", " Range Kurtosis = 004.5863  &= [-(X"]
    lines += ["  Table Distribution Units are >>>  (Atoms/cm3) / (Atoms/cm2)  <<<  ", "=" * 30]
    names = list(columns)
    lines += ["   DEPTH         " + "         ".join(names) + "    "]
    lines += ["   (Ang.)       Ions     " + "  ".join(["Tgt. Atoms"] * (len(names) - 1))]
    lines += ["-----------  " + "----------  " * len(names)]
    for i, z in enumerate(depths):
        cells = [f"{round(z * 1000)}.E-03", *(f"{v[i]:.4E}" for v in columns.values())]
        lines.append("  ".join(cells) + " ")
    text = "\r\n".join(lines).replace(".E-03", ".E-03")
    if decimal == ",":
        header, _, rows = text.partition("-----------")
        text = header + "-----------" + rows.replace(".", ",")
    return text.encode("cp437")


def vamas(blocks, *, mode="NORM", technique="SIMS", scan="REGULAR", abscissa=("Sputter time", "s")):
    """Write an ISO 14976 file of (species, axis values, counts)."""
    if mode == "SDP":
        flat = [(n, [z], [v]) for n, zs, vs in blocks for z, v in zip(zs, vs, strict=True)]
    else:
        flat = blocks
    lines = ["VAMAS Surface Chemical Analysis Standard Data Transfer Format 1988 May 4"]
    lines += ["Some laboratory", "ims 7f", "Not Specified", "w7", "1", "a comment", mode, scan]
    if mode in ("NORM", "SDP"):
        lines.append(str(len(blocks)))
    variables = [abscissa] if mode == "SDP" else []
    lines += [str(len(variables)), *(part for v in variables for part in v)]
    lines += ["0", "0", "0", "0", str(len(flat))]
    for name, zs, vs in flat:
        lines += ["block", "W7", "2024", "3", "25", "14", "5", "0", "1", "0", technique]
        lines += [str(zs[0])] if mode == "SDP" else []
        lines += ["O2+"]
        lines += ["8", "2", "1"]
        lines += ["10000", "1e37", "1e37", "1e37", "1e37", "1e37", "SIMS mode"]
        lines += ["300", "1e37", "1e37", "1e37", "1e37", "1e37", "1e37", "1e37"]
        lines += [name, name, "1"]
        if scan == "REGULAR":
            step = zs[1] - zs[0] if len(zs) > 1 else 1
            lines += [*abscissa, str(zs[0]), str(step)]
            ordinates, values = [("counts", "d")], list(vs)
        else:
            ordinates = [abscissa, ("counts", "d")]
            values = [x for pair in zip(zs, vs, strict=True) for x in pair]
        lines += [str(len(ordinates)), *(part for o in ordinates for part in o)]
        lines += ["pulse counting", "0.5", "1", "0", "0", "0", "0", "0", str(len(values))]
        lines += ["0"] * (2 * len(ordinates)) + [f"{v:g}" for v in values]
    return ("\r\n".join([*lines, "end of experiment"]) + "\r\n").encode()


def sims_h5(path, *, mode="depth_profile", cycles=4, a=2.0, b=0.5):
    """Write an open TOF archive; give times, and counts of each cycle by m/z."""
    import h5py

    times = np.arange(cycles) * 1.5
    masses, spectrum = [10.013, 11.009, 29.974], np.array([[3, 0, 300], [5, 1, 2], [0, 7, 9]])
    counts = np.array([spectrum[:, i % 3] for i in range(cycles)])
    tof = (np.sqrt(masses) - b) / a * 1e6
    pixels = [(cycle, k) for k in range(3) for cycle in range(cycles) if counts[cycle, k]]
    with h5py.File(path, "w") as file:
        file.attrs.update(format="tof-sims-sparse-hdf5", acquisition_mode=mode, polarity="+")
        csr = file.create_group("data/mass_csr")
        csr.attrs["mass_bin_width_ps"] = 1
        csr["mass_bin"] = np.round(tof).astype(np.uint32)
        per_bin = np.count_nonzero(counts, axis=0)
        csr["indptr"] = np.concatenate([[0], np.cumsum(per_bin)]).astype(np.uint64)
        csr["pixel_id"] = np.array([cycle * 4 + 1 for cycle, _ in pixels], dtype=np.uint32)
        true = np.array([counts[cycle, k] for cycle, k in pixels])
        csr["count"] = np.minimum(true, 255).astype(np.uint8)
        big = np.flatnonzero(true > 255)
        csr["count_exceptions/nnz_index"] = big
        csr["count_exceptions/value"] = true[big].astype(np.uint32)
        file["calibration/mass/coefficients"] = np.array([a, b])
        file.create_group("geometry").attrs["row_shape"] = np.array([cycles, 1, 2, 2])
        file["frames/sputter_time_s"] = times
    return times, dict(zip(["10B", "11B", "30Si"], counts.T.astype(float), strict=True))


def measured_file():
    """Write the file that the README reads; its dose is what the instrument prints."""
    depth = np.linspace(0.002, 0.5, 250)
    value = 1e20 * np.exp(-(((depth - 0.15) / 0.04) ** 2) / 2)
    dose = {"10B": np.trapezoid(value, depth * 1e-4)}
    silicon = np.full(depth.size, 5e5)
    species = {"10B": (None, depth, value, "C"), "30Si": (None, depth + 4e-4, silicon, "I")}
    return cameca_rpc(species, dose=dose)


def workbook(rows, *, strings="", properties="", more="", state="visible", start=""):
    """Write a workbook of one sheet."""
    styles = _STYLES + "".join(f'<xf numFmtId="{n}"/>' for n in _SHOWN) + "</cellXfs>"
    parts = {
        "workbook": f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}">{properties}<sheets>'
        f'<sheet name="one" state="{state}" sheetId="1" r:id="a"/>'
        '<sheet name="chart" sheetId="2" r:id="b"/></sheets></workbook>',
        "_rels/workbook.xml": "<R>"
        f'<Relationship Id="a" Type="{_LINKS}/worksheet" Target="one.xml"/>'
        f'<Relationship Id="b" Type="{_LINKS}/chartsheet" Target="two.xml"/>'
        f'<Relationship Id="c" Type="{_LINKS}/sharedStrings" Target="/xl/strings.xml"/>'
        f'<Relationship Id="d" Type="{_LINKS}/styles" Target="styles.xml"/></R>',
        "strings": f"<sst>{strings}</sst>",
        "styles": f"<styleSheet>{styles}</styleSheet>",
        "one": f"{start}<worksheet><sheetData>{rows}</sheetData>{more}</worksheet>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, xml in parts.items():
            end = ".xml.rels" if name.startswith("_") else ".xml"
            archive.writestr(f"xl/{name.removesuffix('.xml')}{end}", xml)
    return content.getvalue()
