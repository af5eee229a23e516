"""Write the CMS-like minimum-bias clusters of $LGN_HDL_SHARED in the public parquet format.

    python examples/smartpixels_minbias.py build/minbias
    python -m lgn_hdl.smartpixels evaluate MODEL --data build/minbias --boundary 0.6 -o build/out

The set (elizahoward/cmspix28-mc-sim, no licence: to measure on, not to redistribute) holds the last
time slice of 1,748 clusters, without noise and threshold, with the true pT. The pT there has no
sign; it comes from the particle's id. At the boundary of 0.2 GeV only 25 clusters are low pT; for
another one, MODEL has to be trained at it (`train ... --boundary 0.6`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from lgn_hdl.smartpixels import Clusters
from lgn_hdl.smartpixels.files import write_tag

#: The other particles of the set are pions, whose id has the sign of their charge; a lepton's does
#: not.
LEPTONS = (11, 13)


def main() -> None:
    if len(sys.argv) != 2 or "LGN_HDL_SHARED" not in os.environ:
        raise SystemExit(f"usage: LGN_HDL_SHARED=... python {sys.argv[0]} FOLDER")
    path = Path(os.environ["LGN_HDL_SHARED"], "data/smartpix_cms_minbias/minbias_dev.npz")
    with np.load(path) as data:
        names = [str(name) for name in data["label_columns"]]
        labels = dict(zip(names, data["labels"].T.astype(np.float64), strict=True))
        charges = np.ascontiguousarray(data["cluster"][:, None], np.float32)
    lepton = np.isin(np.abs(labels["PID"]), LEPTONS)
    labels["pt"] = labels["pt"] * np.sign(labels["PID"]) * np.where(lepton, -1, 1)
    for file in write_tag(Clusters(charges, labels), sys.argv[1], "_minbias"):
        print(file)


if __name__ == "__main__":
    main()
