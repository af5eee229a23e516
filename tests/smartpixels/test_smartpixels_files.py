"""Parquet files in the public format: what is written comes back, what is broken is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lgn_hdl.errors import FormatError
from lgn_hdl.smartpixels import Clusters, generate
from lgn_hdl.smartpixels.dataset import LABELS
from lgn_hdl.smartpixels.files import find_tags, read_folder, read_tag, write_tag


@pytest.fixture(scope="module")
def clusters() -> Clusters:
    return generate(40, 1)


def test_round_trip(clusters: Clusters, tmp_path: Path) -> None:
    names = [path.name for path in write_tag(clusters, tmp_path, "_d1")]
    assert names == ["recon2D_d1.parquet", "recon3D_d1.parquet", "labels_d1.parquet"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    back = read_tag(tmp_path, "_d1")
    np.testing.assert_array_equal(back.charges, clusters.charges)
    for name in LABELS:
        np.testing.assert_array_equal(back.labels[name], clusters.labels[name])
    flat = read_tag(tmp_path, "_d1", "2D")
    np.testing.assert_array_equal(flat.charges, clusters.charges[:, -1:])


def test_the_schema_is_the_public_one(clusters: Clusters, tmp_path: Path) -> None:
    write_tag(clusters, tmp_path, "_d1")
    table = pq.read_table(tmp_path / "recon3D_d1.parquet")
    assert table.column_names == [str(i) for i in range(5460)]
    # Column t·273 + y·21 + x.
    column = table.column(str(7 * 273 + 5 * 21 + 10)).to_numpy()
    np.testing.assert_array_equal(column, clusters.charges[:, 7, 5, 10])
    assert pq.read_table(tmp_path / "recon2D_d1.parquet").num_columns == 273
    assert pq.read_table(tmp_path / "labels_d1.parquet").column_names == list(LABELS)
    assert len(LABELS) == 16


def test_folders_side_by_side(clusters: Clusters, tmp_path: Path) -> None:
    for path in write_tag(clusters, tmp_path, "_d17301"):
        stem = path.name.partition("_")[0]
        (tmp_path / stem).mkdir()
        path.rename(tmp_path / stem / path.name)
    assert find_tags(tmp_path) == ["_d17301"]
    (only,) = read_folder(tmp_path)
    np.testing.assert_array_equal(only.pt, clusters.pt)


def test_clusters_of_one_slice_have_no_3d_file(clusters: Clusters, tmp_path: Path) -> None:
    flat = Clusters(clusters.charges[:, -1:], clusters.labels)
    assert len(write_tag(flat, tmp_path, "x")) == 2
    with pytest.raises(FormatError, match=r"no files recon3D\*"):
        find_tags(tmp_path)
    assert find_tags(tmp_path, "2D") == ["x"]


def test_broken_files(clusters: Clusters, tmp_path: Path) -> None:
    write_tag(clusters, tmp_path, "_d1")
    labels = tmp_path / "labels_d1.parquet"
    good = labels.read_bytes()
    table = pq.read_table(labels)

    labels.write_bytes(good[:100])
    with pytest.raises(FormatError, match="not a readable parquet"):
        read_tag(tmp_path, "_d1")
    pq.write_table(table.slice(0, 30), labels)
    with pytest.raises(FormatError, match="30 rows for 40 clusters"):
        read_tag(tmp_path, "_d1")
    pq.write_table(table.drop(["pt"]), labels)
    with pytest.raises(FormatError, match="lack pt"):
        read_tag(tmp_path, "_d1")
    holed = table.set_column(
        table.column_names.index("pt"), "pt", pa.array([None] * 40, pa.string())
    )
    pq.write_table(holed, labels)
    with pytest.raises(FormatError, match="'pt' does not hold numbers"):
        read_tag(tmp_path, "_d1")
    labels.unlink()
    with pytest.raises(FormatError, match="no file labels_d1"):
        read_tag(tmp_path, "_d1")
    charges = tmp_path / "recon3D_d1.parquet"
    pq.write_table(pq.read_table(charges).drop(["5459"]), charges)
    with pytest.raises(FormatError, match="no column '5459'"):
        read_tag(tmp_path, "_d1")


def test_missing_charges_are_refused(clusters: Clusters, tmp_path: Path) -> None:
    charges = clusters.charges.copy()
    charges[3, 2, 1, 0] = np.nan
    write_tag(Clusters(charges, clusters.labels), tmp_path, "_d1")
    with pytest.raises(FormatError, match="cluster 3 has a charge that is not finite"):
        read_tag(tmp_path, "_d1")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a folder"):
        list(read_folder(tmp_path / "nowhere"))


def test_clusters_check_themselves(clusters: Clusters) -> None:
    with pytest.raises(FormatError, match="charges have shape"):
        Clusters(clusters.charges[:, :7], clusters.labels)
    with pytest.raises(FormatError, match="expected float32"):
        Clusters(clusters.charges.astype(np.float64), clusters.labels)
    with pytest.raises(FormatError, match="for 10 clusters"):
        Clusters(clusters.charges[:10], clusters.labels)
    with pytest.raises(FormatError, match="no clusters"):
        Clusters.joined([])
    both = Clusters.joined([clusters.take(np.arange(5)), clusters.take(np.arange(5, 40))])
    np.testing.assert_array_equal(both.charges, clusters.charges)
