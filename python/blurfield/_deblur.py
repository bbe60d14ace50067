# SPDX-License-Identifier: BSD-3-Clause
"""The sharp scene of a known blur."""

from __future__ import annotations

import warnings as _warnings
from dataclasses import dataclass, field
from typing import Any, Callable, Optional, Tuple, Union

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays, _core
from ._operator import BlurOperator
from ._options import DEFAULT_TRUNCATE, Radius
from ._progress import Progress, reported

Array = _arrays.Array


@dataclass
class Deblurred:
    """What `deblur` found.

    Attributes
    ----------
    image : ndarray
        The scene, as far as the frame shows it.
    method : str
        The one taken.
    noise, lambda_, prior_scale : float
        Used.
    residual : float
        sqrt(chi^2 / pixels): 1 where as large as the noise; 0 of closed forms.
    freedom : float
        Degrees of freedom that the scene took; 0 where not estimated.
    warnings, why : list of str
        What may be wrong; what was chosen, and why.
    stop, iterations, evaluations, seconds
        Of the optimiser.
    trace : list of dict
        A row per iteration.
    """

    image: Array = field(repr=False)
    method: str
    noise: float
    lambda_: float
    prior_scale: float
    residual: float
    freedom: float
    warnings: list[str]
    why: list[str]
    stop: str
    iterations: int
    evaluations: int
    seconds: float
    trace: list[dict[str, Any]] = field(repr=False)


def deblur(image: ArrayLike, *, operator: Optional[BlurOperator] = None,
           psf: Optional[ArrayLike] = None, psfs: Optional[ArrayLike] = None,
           sigma: Optional[ArrayLike] = None, logchol: Optional[ArrayLike] = None,
           cov: Optional[ArrayLike] = None, scatter: bool = False,
           truncate: float = DEFAULT_TRUNCATE, radius: Radius = None, tolerance: float = 0,
           mode: str = "extend", order: str = "mask-first", upscale: int = 1,
           weight: Optional[ArrayLike] = None, start: Optional[ArrayLike] = None,
           method: str = "auto", fidelity: str = "gaussian", prior: str = "tv2",
           lambda_: Optional[float] = None, lambda_rule: str = "auto",
           noise: Optional[float] = None, prior_scale: Optional[float] = None,
           lower: Optional[float] = None, upper: Optional[float] = None, joint: bool = True,
           gain: Optional[float] = None, offset: float = 0.0, background: float = 0.0,
           max_iterations: int = 0, change: float = 0.0, max_seconds: float = np.inf,
           callback: Optional[Callable[[dict[str, Any]], Any]] = None,
           progress: Progress = None) -> Deblurred:
    """Give back the sharp scene of an image whose blur is known.

    Minimises fidelity(A x; image) + lambda prior(x) within bounds (D1). What is left open, noise
    and weight of the prior among it, is chosen from the image, and the result tells why.

    Parameters
    ----------
    image : array_like
        (H, W), (C, H, W) or (N, C, H, W).
    operator : BlurOperator, optional
        The blur A; or one of the following.
    psf, psfs, sigma, logchol, cov, scatter, truncate, radius, tolerance, mode, order
        The blur, as of `BlurOperator`. "extend" (default): the scene beyond the border is found
        too.
    upscale : int
        The result is so many times as large: pixels of the image are means of the scene's.
    weight : array_like, optional
        (H, W) or of the shape of `image`, >= 0; 0 leaves a bad or saturated pixel out.
    start : array_like, optional
        A scene to begin with.
    method : {"auto", "wiener", "tikhonov", "rl", "tv", "fista", "lbfgs", "newton-cg"}
    fidelity : {"gaussian", "huber", "poisson", "norm"}
    prior : {"tv2", "huber-tv", "tv", "gradient", "tikhonov", "norm", "hessian", "none"}
    lambda_ : float, optional
        Weight of the prior; None: by `lambda_rule`.
    lambda_rule : {"auto", "discrepancy", "gcv", "sure"}
    noise : float, optional
        Standard deviation; None: found.
    prior_scale : float, optional
        Slopes below which TV is smooth; None: from the noise.
    lower, upper : float, optional
        Bounds of the scene; 0 below for poisson.
    joint : bool
        TV over all channels at once.
    gain, offset, background : float
        Of poisson: image = gain counts + offset, counts of the scene and background. None: the gain
        is found.
    max_iterations, change
        Of each solve, of which the search for lambda takes several: the most iterations, and the
        relative change of the scene that ends one; 0: the method's own.
    max_seconds : float
        What there is then is given.
    callback : callable, optional
        Given a dict per iteration; False from it ends the work, and what there is is given.
    progress : bool or callable, optional
        True: a bar, where tqdm is installed.

    Returns
    -------
    Deblurred

    Raises
    ------
    ValueError
        For options that contradict each other or are out of range, shapes that do not match,
        pixels of weight > 0 that are not finite.
    TypeError
        For complex and object arrays, and unless one blur is given.

    Warns
    -----
    RuntimeWarning
        Where the result is in doubt; see `Deblurred.warnings`.
    """
    y = _arrays.image(image, "image")
    if operator is None:
        operator = BlurOperator(y.shape, psf=psf, psfs=psfs, sigma=sigma, logchol=logchol, cov=cov,
                                scatter=scatter, truncate=truncate, radius=radius,
                                tolerance=tolerance, mode=mode, order=order, factor=upscale,
                                dtype=y.dtype)
    elif any(v is not None for v in (psf, psfs, sigma, logchol, cov)):
        raise TypeError("expected an operator, or one of psf, psfs, sigma, logchol, cov; got both")
    y = _frame(y, operator)
    settings = _core.DeblurSettings(method, fidelity, prior, lambda_rule)
    settings.lambda_, settings.noise, settings.prior_scale = lambda_, noise, prior_scale
    settings.lower, settings.upper, settings.joint = lower, upper, joint
    settings.gain = gain if gain is not None else 0.0 if fidelity == "poisson" else 1.0
    settings.offset, settings.background = offset, background
    settings.max_iterations, settings.tolerance = max_iterations, change
    settings.max_seconds = max_seconds
    weights = None if weight is None else _arrays.lifted(
        _arrays.floating(weight, "weight", y.dtype))
    begin = None if start is None else _arrays.lifted(_arrays.floating(start, "start", y.dtype))
    with reported(progress, "deblur") as tell:
        def each(step: dict[str, Any]) -> Any:
            # The number of iterations is not known beforehand: a curve towards all of it.
            if tell is not None and tell(1 - 0.98 ** step["iteration"]) is False:
                return False
            return None if callback is None else callback(step)

        silent = tell is None and callback is None
        found = _core.deblur(operator._blur, _arrays.lifted(y), weights, begin, settings,
                             None if silent else each)
    scene = np.asarray(found.pop("image"))
    found["lambda_"] = found.pop("lambda")
    for text in found["warnings"]:
        _warnings.warn(f"deblur: {text}", RuntimeWarning, stacklevel=2)
    return Deblurred(scene.reshape(*y.shape[:-2], *scene.shape[-2:]), **found)


def _frame(image: Array, operator: BlurOperator) -> Array:
    """The image in the type of its operator."""
    if image.shape != operator.frame_shape:
        raise ValueError(f"image: expected the operator's frame {operator.frame_shape}, got "
                         f"{image.shape}")
    return image if image.dtype == operator.dtype else image.astype(operator.dtype)


def _known(image: Array, blur: Union[BlurOperator, ArrayLike], mode: str) -> BlurOperator:
    """A blur given as an operator, or as a PSF."""
    if isinstance(blur, BlurOperator):
        return blur
    return BlurOperator(image.shape, psf=blur, mode=mode, dtype=image.dtype)


def richardson_lucy(image: ArrayLike, psf: Union[ArrayLike, BlurOperator], num_iter: int = 50,
                    clip: bool = True, *, mode: str = "reflect", accelerate: bool = False,
                    tv: float = 0.0, background: float = 0.0, noise: float = 0.0,
                    weight: Optional[ArrayLike] = None, sensitivity: bool = True,
                    progress: Progress = None) -> Array:
    """Richardson-Lucy deconvolution; scikit-image's arguments where they coincide.

    Parameters
    ----------
    image : array_like
        (H, W), (C, H, W) or (N, C, H, W), of counts or of light: values below 0 count as 0.
    psf : array_like or BlurOperator
        (h, w), normalised; or any blur.
    num_iter : int
        Iterations.
    clip : bool
        The result is cut to -1..1, as scikit-image does; False for counts.
    mode : str
        Beyond the border, as of `BlurOperator`. scikit-image: "constant".
    accelerate : bool
        Vector extrapolation: a fifth of the iterations for about the same.
    tv : float
        Weight of total variation, 0..0.25.
    background : float
        Light that the scene does not hold.
    noise : float
        Stops where the residual's standard deviation falls to it; 0: never.
    weight : array_like, optional
        0 leaves a pixel out.
    sensitivity : bool
        False, with "constant": scikit-image's result, which dims borders.
    progress : bool or callable, optional
        True: a bar, where tqdm is installed.

    Returns
    -------
    ndarray
        The scene as far as the frame shows it, of the shape of `image`.

    Raises
    ------
    ValueError
        For shapes that do not match, pixels in use that are not finite, options out of range.
    Cancelled
        Where `progress` said False.

    Notes
    -----
    (D6). Richardson 1972, Lucy 1974; Biggs and Andrews 1997; Dey et al. 2006.
    """
    y = _arrays.image(image, "image")
    blur = _known(y, psf, mode)
    y = _frame(y, blur)
    # scikit-image begins with 0.5 as well.
    scene = np.full(blur.scene_shape, 0.5, y.dtype)
    weights = None if weight is None else _arrays.lifted(
        _arrays.floating(weight, "weight", y.dtype))
    with reported(progress, "richardson_lucy") as tell:
        each = None if tell is None else (lambda i: tell(i / max(num_iter, 1)))
        _core.richardson_lucy(blur._blur, _arrays.lifted(y), _arrays.lifted(scene), weights,
                              num_iter, accelerate, tv, background, 0.0, noise * noise,
                              sensitivity, each)
    result = np.ascontiguousarray(blur.visible(scene))
    return np.clip(result, -1, 1, out=result) if clip else result


def wiener(image: ArrayLike, psf: Union[ArrayLike, BlurOperator], *,
           noise: Optional[float] = None, clip: bool = True, mode: str = "reflect") -> Array:
    """Wiener's filter (D6), for one PSF everywhere, against photographs' usual spectrum.

    Parameters
    ----------
    image : array_like
        (H, W), (C, H, W) or (N, C, H, W).
    psf, clip, mode
        As of `richardson_lucy`; the blur is the same everywhere.
    noise : float, optional
        Standard deviation; None: `noise_level`.

    Returns
    -------
    ndarray
        Of the shape of `image`.

    Raises
    ------
    ValueError
        For shapes that do not match, pixels that are not finite, a blur that is not one PSF, and
        where no noise is given and none is found.
    """
    return _closed_form(image, psf, noise, clip, mode, None)[0]


def tikhonov(image: ArrayLike, psf: Union[ArrayLike, BlurOperator],
             lambda_: Optional[float] = None, *, noise: Optional[float] = None, clip: bool = True,
             gradient: bool = True, mode: str = "reflect") -> Tuple[Array, float]:
    """Least squares with a quadratic prior in closed form (D6): the scene, the prior's weight.

    Parameters
    ----------
    image, psf, noise, clip, mode
        As of `wiener`.
    lambda_ : float, optional
        None: by generalised cross-validation (Golub, Heath, Wahba 1979).
    gradient : bool
        The prior is 1/2 |grad x|^2; else 1/2 |x|^2.

    Returns
    -------
    image : ndarray
        The scene, of the shape of the image given.
    lambda_ : float
        The prior's weight that was used.

    Raises
    ------
    ValueError
        As `wiener`.
    """
    return _closed_form(image, psf, noise, clip, mode, (gradient, lambda_))


def _closed_form(image: ArrayLike, psf: Union[ArrayLike, BlurOperator], noise: Optional[float],
                 clip: bool, mode: str,
                 quadratic: Optional[Tuple[bool, Optional[float]]]) -> Tuple[Array, float]:
    y = _arrays.image(image, "image")
    blur = _known(y, psf, mode)
    y = _frame(y, blur)
    if noise is None:
        noise = _core.noise_level(_arrays.lifted(y), None)
        if noise <= np.finfo(y.dtype).eps * np.abs(y).max():
            raise ValueError("noise: expected a number, for none was found in the image")
    gradient, lambda_ = quadratic or (True, None)
    pixels, used = _core.closed_form(blur._blur, _arrays.lifted(y), noise, quadratic is not None,
                                     gradient, lambda_)
    scene = np.asarray(pixels).reshape(y.shape)
    return (np.clip(scene, -1, 1, out=scene) if clip else scene), used


def gaussian_psf(sigma: float, truncate: float = DEFAULT_TRUNCATE) -> Array:
    """A sampled Gaussian (G1).

    Parameters
    ----------
    sigma : float
        Pixels, > 0, else ValueError.
    truncate : float
        Radius r = max(1, floor(truncate sigma + 1/2)).

    Returns
    -------
    ndarray
        (2 r + 1, 2 r + 1), float64, of sum 1.
    """
    return np.asarray(_core.gaussian_psf(sigma, truncate))


def disk_psf(radius: float) -> Array:
    """A uniform disk, integrated over each pixel: defocus by a round aperture.

    Parameters
    ----------
    radius : float
        Pixels, > 0, else ValueError.

    Returns
    -------
    ndarray
        (h, w), odd, float64, of sum 1; its centre at (h // 2, w // 2).
    """
    return np.asarray(_core.disk_psf(radius))


def motion_psf(length: float, angle: float = 0.0) -> Array:
    """A straight path through the centre, integrated over each pixel: motion of the camera.

    Parameters
    ----------
    length : float
        Pixels, >= 0, else ValueError.
    angle : float
        Degrees from the x axis, counter-clockwise as seen; 0 is horizontal.

    Returns
    -------
    ndarray
        (h, w), odd, float64, of sum 1; its centre at (h // 2, w // 2).
    """
    return np.asarray(_core.motion_psf(length, angle))


def moffat_psf(fwhm: float, beta: float = 2.5) -> Array:
    """Atmospheric seeing, (1 + (r / alpha)^2)^-beta (Moffat 1969), integrated over each pixel.

    Parameters
    ----------
    fwhm : float
        Full width at half maximum, pixels, > 0, else ValueError.
    beta : float
        > 1, else ValueError; the smaller, the wider the wings.

    Returns
    -------
    ndarray
        (h, w), odd, float64, of sum 1; its centre at (h // 2, w // 2). Cut where what is left holds
        1e-3 of the light, or at 64 fwhm.
    """
    return np.asarray(_core.moffat_psf(fwhm, beta))
