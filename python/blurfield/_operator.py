# SPDX-License-Identifier: BSD-3-Clause
"""A blur as a linear operator, for deblurring, SciPy's solvers and PyLops."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike, DTypeLike
from scipy.sparse.linalg import LinearOperator

from . import _arrays, _core
from ._blur import gaussian_numbers
from ._fields import Field, one_of
from ._options import DEFAULT_TRUNCATE, Radius, blur_options, mode_name

Array = _arrays.Array


class BlurOperator(LinearOperator):  # type: ignore[misc]
    """A linear blur A of scenes, and its exact adjoint.

    Parameters
    ----------
    frame : sequence of int
        Shape of what A gives: (H, W), (C, H, W) or (N, C, H, W).
    psf : array_like
        One point-spread function (h, w), its centre at (h // 2, w // 2); normalised to sum 1.
    psfs : array_like
        A grid of them, (ny, nx, h, w), measured at the centres of its cells.
    sigma, logchol, cov : array_like
        Gaussians: one for all (a number, (sigma_y, sigma_x), (a, b, c), a matrix (2, 2)), or a
        field as `adaptive_blur` takes it. One of the five is given.
    scatter, truncate, radius, tolerance
        Of Gaussians, as of `adaptive_blur`.
    mode : {"reflect", "mirror", "nearest", "constant", "wrap", "extend"}
        Beyond the border; constant is 0. "extend": the scene goes on there, unknown, and is larger
        than the frame.
    order : {"mask-first", "conv-first"}
        Of a grid: whether a function belongs to the source or to the recorded pixel.
    factor : int
        Pixels of the frame are means of factor x factor pixels of the blurred scene.
    dtype : {float64, float32}
        Of images.

    Attributes
    ----------
    shape : (int, int)
        Elements of the frame and of the scene; SciPy's.
    frame_shape, scene_shape : tuple of int
        Shapes of images.
    margin : (int, int)
        Rows and columns of the scene on each side of what the frame shows.

    Examples
    --------
    >>> import numpy as np, blurfield
    >>> from scipy.sparse.linalg import lsqr
    >>> A = blurfield.BlurOperator((16, 16), sigma=1.5, mode="reflect")
    >>> y = A.forward(np.eye(16))
    >>> x = lsqr(A, y.ravel(), damp=1e-3)[0].reshape(A.scene_shape)
    """

    def __init__(self, frame: Sequence[int], *, psf: Optional[ArrayLike] = None,
                 psfs: Optional[ArrayLike] = None, sigma: Optional[ArrayLike] = None,
                 logchol: Optional[ArrayLike] = None, cov: Optional[ArrayLike] = None,
                 scatter: bool = False, truncate: float = DEFAULT_TRUNCATE, radius: Radius = None,
                 tolerance: float = 0, mode: str = "reflect", order: str = "mask-first",
                 factor: int = 1, dtype: DTypeLike = np.float64) -> None:
        self._made_of = (tuple(frame), {
            "psf": psf, "psfs": psfs, "sigma": sigma, "logchol": logchol, "cov": cov,
            "scatter": scatter, "truncate": truncate, "radius": radius, "tolerance": tolerance,
            "mode": mode, "order": order, "factor": factor, "dtype": dtype})
        self.frame_shape: Tuple[int, ...] = tuple(int(n) for n in frame)
        kind = np.dtype(dtype)
        if kind not in (np.float32, np.float64):
            raise TypeError(f"dtype: expected float32 or float64, got {kind}")
        if not 2 <= len(self.frame_shape) <= 4:
            raise ValueError(f"frame: expected (H, W), (C, H, W) or (N, C, H, W), got {frame}")
        full = [1] * (4 - len(self.frame_shape)) + list(self.frame_shape)
        full[2:] = [factor * n for n in full[2:]]
        border = mode_name(mode)
        name, value = one_of(psf=psf, psfs=psfs, sigma=sigma, logchol=logchol, cov=cov)
        is_double = kind == np.float64
        if name == "psf":
            self._blur = _core.Operator.of_psf(full, is_double, _plane(value, 2, "psf"), border,
                                               factor)
        elif name == "psfs":
            self._blur = _core.Operator.of_psf_grid(full, is_double, _plane(value, 4, "psfs"),
                                                    order, border, factor)
        else:
            options = blur_options(truncate, radius, "reflect", 0.0, tolerance, "auto", scatter)
            if np.ndim(value) < 2 or np.shape(value) == (2, 2) and name == "cov":
                self._blur = _core.Operator.of_gaussian(
                    full, is_double, gaussian_numbers(sigma, logchol, cov), border, options, factor)
            else:
                like = np.broadcast_to(np.zeros((), kind), full if len(frame) == 4 else full[1:])
                field = Field(like, sigma, logchol, cov)
                self._blur = _core.Operator.of_field(full, field.array, border, options, factor)
        self.margin: Tuple[int, ...] = tuple(self._blur.margin)
        height, width = self._blur.scene[2:]
        self.scene_shape: Tuple[int, ...] = (*self.frame_shape[:-2], height, width)
        super().__init__(kind, (int(np.prod(self.frame_shape)), int(np.prod(self.scene_shape))))

    def __reduce__(self) -> Tuple[Any, ...]:
        # Another process makes it anew.
        return _made_of, self._made_of

    def forward(self, scene: ArrayLike, out: Optional[Array] = None) -> Array:
        """A scene: an image of frame_shape."""
        return self._apply(self._blur.forward, scene, self.scene_shape, self.frame_shape, out)

    def adjoint(self, frame: Optional[ArrayLike] = None, out: Optional[Array] = None) -> Any:
        """A^T frame: an image of scene_shape. Without arguments, SciPy's adjoint operator."""
        if frame is None:
            return super().adjoint()
        return self._apply(self._blur.adjoint, frame, self.frame_shape, self.scene_shape, out)

    def visible(self, scene: Array) -> Array:
        """The part of a scene that the frame shows; a view."""
        y, x = self.margin
        height, width = scene.shape[-2:]
        return scene[..., y:height - y, x:width - x]

    def _apply(self, work: Any, image: ArrayLike, takes: Tuple[int, ...], gives: Tuple[int, ...],
               out: Optional[Array]) -> Array:
        x = _arrays.floating(image, "image", self.dtype)
        if x.shape != takes:
            raise ValueError(f"expected an image of shape {takes}, got {x.shape}")
        target = _arrays.Target(_arrays.result(x, out, gives), x)
        work(_arrays.lifted(x), _arrays.lifted(target.array))
        return target.finish()

    def _matvec(self, x: Array) -> Array:
        return self.forward(np.reshape(x, self.scene_shape)).ravel()

    def _rmatvec(self, y: Array) -> Array:
        return np.asarray(self.adjoint(np.reshape(y, self.frame_shape))).ravel()


def _made_of(frame: Tuple[int, ...], arguments: Dict[str, Any]) -> BlurOperator:
    return BlurOperator(frame, **arguments)


def _plane(value: ArrayLike, rank: int, name: str) -> Array:
    array = _arrays.floating(value, name, np.dtype(np.float64))
    if array.ndim != rank:
        wanted = "(h, w)" if rank == 2 else "(ny, nx, h, w)"
        raise ValueError(f"{name}: expected shape {wanted}, got {array.shape}")
    return array
