"""Files on the command line: how they are read, and which of them cannot be."""

import pytest

from sims_analysis.cli import files


def test_how_several_files_are_read_is_shown_one_below_the_other(tmp_path, capsys):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("depth (nm),B (atoms/cm^3)\n0,1e18\n1,1e17\n2,1e16\n")
    asked = [tmp_path / name for name in ("a.csv", "none.csv", "b.csv")]
    with pytest.raises(SystemExit) as left:
        files.explain_files(asked, {})
    assert left.value.code == 3
    out, err = capsys.readouterr()
    assert "none.csv: No such file or directory" in err
    first, second = (out.index(name) for name in ("a.csv", "b.csv"))
    assert 0 <= first < second
    assert "\n\n" in out[first:second]
    files.explain_files(asked[:1], {})
    with pytest.raises(SystemExit) as left:
        files.explain_files(asked[1:2], {})
    assert left.value.code == 1
