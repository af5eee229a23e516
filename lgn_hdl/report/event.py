"""A picture of one image and of the pixels that input reduction keeps."""

from __future__ import annotations

from importlib.resources import files

import jinja2
import numpy as np

__all__ = ["event_svg"]

#: The faintest pixel is still seen.
_FAINTEST = 0.35


def event_svg(values: np.ndarray, active: np.ndarray, kept: np.ndarray, sample: int) -> str:
    """An SVG document.

    Parameters
    ----------
    values : ndarray, shape (H, W)
        What decides whether a pixel is active; larger values are drawn darker.
    active, kept : ndarray of bool, shape (H, W)
    sample : int
        Number of the image, for the caption.
    """
    shades = np.where(active, values, 0).astype(float)
    low, high = (shades[active].min(), shades[active].max()) if active.any() else (0.0, 0.0)
    shades = _FAINTEST + (1 - _FAINTEST) * (shades - low) / (high - low or 1.0)
    pixels = [
        {
            "row": int(row),
            "column": int(column),
            "kept": bool(kept[row, column]),
            "shade": shades[row, column],
        }
        for row, column in np.argwhere(active)
    ]
    text = files("lgn_hdl.report").joinpath("event.svg.jinja").read_text()
    template = jinja2.Template(
        text, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    height, width = active.shape
    return template.render(
        height=height,
        width=width,
        pixels=pixels,
        kept=int(kept.sum()),
        sample=sample,
        text=min(1.3, width / 20),  # the caption is some twenty times as wide as its letters
    )
