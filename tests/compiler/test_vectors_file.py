"""vectors.npz as it is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lgn_hdl.compiler.vectors import write_vectors


def test_what_is_written_is_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        "gates_bits": rng.integers(0, 2, (50, 3000), np.uint8),
        "features": rng.integers(-(2**40), 2**40, (50, 7)),
        "latency": np.array(3),
        "blocks": np.array(["gates", "result"]),
        "empty": np.zeros((0, 4), np.uint8),
    }
    write_vectors(tmp_path / "a.npz", arrays)
    write_vectors(tmp_path / "b.npz", arrays)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        assert set(found.files) == set(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            assert np.array_equal(found[name], array)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz").stat().st_size < sum(a.nbytes for a in arrays.values()) / 3
