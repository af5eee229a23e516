"""The same features on other data: signal against beam-induced background at a muon collider.

    LGN_HDL_SHARED=... python examples/smartpixels_bib.py

$LGN_HDL_SHARED/data/smartpix_muc (elizahoward/smart-pixels-ml, no licence: to measure on, not to
redistribute) holds 59,517 clusters, the last time slice only. An MLP and a small dense logic-gate
network are trained on 60 % of them and measured on 25 %. Needs torchlogix; about four minutes on
one core. Only accuracies are printed.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch

from lgn_hdl.frontends import convert
from lgn_hdl.model import Model
from lgn_hdl.smartpixels import Clusters, fast, feature_vectors
from lgn_hdl.smartpixels.baselines import Mlp, parameters
from lgn_hdl.smartpixels.configs import DenseConfig
from lgn_hdl.smartpixels.models import make_lgn
from lgn_hdl.smartpixels.split import split
from lgn_hdl.smartpixels.thresholds import quantile_thresholds
from lgn_hdl.smartpixels.training import Settings, fit, predictions

CLASSES = ("background", "signal")
#: In the set y-local is divided by this, in mm.
Y_LOCAL_MM = 8.5


def load() -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, 14) and classes (n,)."""
    if "LGN_HDL_SHARED" not in os.environ:
        raise SystemExit("usage: LGN_HDL_SHARED=... python examples/smartpixels_bib.py")
    folder = Path(os.environ["LGN_HDL_SHARED"], "data/smartpix_muc")
    with np.load(folder / "clusters_train.npz") as data:
        logged = data["cluster"]
    with np.load(folder / "features_train.npz") as data:
        label, y_local = data["label"].astype(np.int64), data["y_local"] * Y_LOCAL_MM
    # Charges are stored as sign · log2(1 + |electrons|).
    charges = np.sign(logged) * (np.exp2(np.abs(logged)) - 1)
    pt = np.ones(len(label))  # not known, and not used here
    clusters = Clusters(charges[:, None].astype(np.float32), {"pt": pt, "y-local": y_local})
    return feature_vectors(clusters, 14), label


def report(name: str, predicted: np.ndarray, truth: np.ndarray) -> None:
    kept = [(predicted[truth == c] == 1).mean() for c in (0, 1)]
    right = (predicted == truth).mean()
    print(
        f"{name}: accuracy {right:.4f}, keeps {kept[1]:.4f} of signal, {kept[0]:.4f} of background"
    )


def main() -> None:
    x, y = load()
    train, validation, test = split(len(x))
    sets = (x[train], y[train]), (x[validation], y[validation])
    print(f"{len(train):,} clusters to train, {len(test):,} to test, {y[test].mean():.4f} signal")

    torch.manual_seed(0)
    mlp = Mlp(x[train], classes=CLASSES)
    fit(mlp, *sets, Settings(epochs=25, rate=3e-3))
    report(f"MLP of {parameters(mlp):,} parameters", predictions(mlp, x[test]), y[test])

    config = DenseConfig(
        (1500, 1200, 800), features=14, bits=16, tau=12.0, shared_thresholds=True, classes=2
    )
    torch.manual_seed(0)
    lgn = make_lgn(config, quantile_thresholds(x[train], config.bits, shared=True))
    settings = Settings(epochs=20, batch=128, rate=1e-2, patience=20, temperature=0.1, warm=0.5)
    fit(lgn, *sets, settings, print, forward=fast.logits)
    model = Model(convert(lgn, (14,), input_format="uint11", classes=CLASSES))
    found = model.predict(x[test])
    if (found != predictions(lgn, x[test])).any():
        raise SystemExit("the converted network decides otherwise than the trained one")
    report(f"LGN of {config.gates:,} gates", found, y[test])


if __name__ == "__main__":
    main()
