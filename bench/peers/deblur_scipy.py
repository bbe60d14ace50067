#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Document 004 by SciPy, its gradient written by hand or by HIPS autograd.

    deblur_scipy.py GRADIENT METHOD PSF BLURRED START    GRADIENT: hand or autograd

METHOD is one of scipy.optimize.minimize's; PSF, BLURRED and START are .npy files of float64. Prints
the seconds, the objective and the evaluations of its gradient.
"""

import sys
import time

import numpy as np
from scipy.optimize import minimize
from scipy.signal import fftconvolve

MU = 0.2


def by_hand(psf, blurred):
    """Value and gradient in one."""
    mirrored = psf[::-1, ::-1]

    def value_and_gradient(parameters):
        x = parameters.reshape(blurred.shape)
        residual = fftconvolve(x, psf, "same") - blurred
        dy, dx = np.diff(x, axis=0), np.diff(x, axis=1)
        misfit = np.sqrt(np.sum(residual**2) / 2)
        rough = np.sqrt((np.sum(dy**2) + np.sum(dx**2)) / 2)
        gradient = fftconvolve(residual, mirrored, "same") / (2 * misfit)
        factor = MU / (2 * rough)
        gradient[1:] += factor * dy
        gradient[:-1] -= factor * dy
        gradient[:, 1:] += factor * dx
        gradient[:, :-1] -= factor * dx
        return misfit + MU * rough, gradient.ravel()

    return value_and_gradient


def by_autograd(psf, blurred):
    """Value, and its gradient, as the document has them."""
    import autograd.numpy as anp
    from autograd import grad
    from autograd.scipy.signal import convolve

    top, left = (n // 2 for n in psf.shape)

    def l2_loss(t):
        return anp.sum(t**2) / 2

    def value(parameters):
        x = anp.reshape(parameters, blurred.shape)
        output = convolve(x, psf, mode="full")[top:-top, left:-left]
        rough = l2_loss(x[:-1] - x[1:]) + l2_loss(x[:, :-1] - x[:, 1:])
        return anp.sqrt(l2_loss(output - blurred)) + MU * anp.sqrt(rough)

    return value, grad(value)


def main():
    kind, method, *paths = sys.argv[1:]
    psf, blurred, start = map(np.load, paths)
    if kind == "hand":
        both = by_hand(psf, blurred)
        both(start)  # loads what is loaded at the first use
        # Newton-CG asks for values and gradients apart.
        arguments = ({"fun": both, "jac": True} if method == "L-BFGS-B" else
                     {"fun": lambda x: both(x)[0], "jac": lambda x: both(x)[1]})
    else:
        value, gradient = by_autograd(psf, blurred)
        gradient(start)
        arguments = {"fun": value, "jac": gradient}
    begin = time.perf_counter()
    result = minimize(x0=start, method=method, **arguments)
    print(time.perf_counter() - begin, repr(float(result.fun)), result.njev)


if __name__ == "__main__":
    main()
