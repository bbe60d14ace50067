# SPDX-License-Identifier: BSD-3-Clause
"""Slow twins of blur and filter in NumPy, straight from the definitions, for (H, W), (H, W, C)."""
import numpy as np

PAD = {"reflect": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap",
       "constant": "constant"}


def radius(sigma, truncate=4.0):
    return max(1, int(np.floor(truncate * sigma + 0.5))) if sigma > 0 else 0


def weights(sigma, r):
    k = np.arange(-r, r + 1)
    g = np.exp(-k**2 / (2 * sigma**2)) if sigma > 0 else (k == 0).astype(float)
    return g / g.sum()


def kernel(gaussian, truncate=4.0, radii=None):
    """Of (sigma,), (sigma_y, sigma_x) or (a, b, c), log-Cholesky."""
    if len(gaussian) == 3:
        a, b, c = gaussian
        ry, rx = radii or (radius(np.exp(a), truncate),
                           radius(np.hypot(b, np.exp(c)), truncate))
        dy, dx = np.mgrid[-ry:ry + 1, -rx:rx + 1]
        z1 = np.exp(-a) * dy
        z2 = np.exp(-c) * (dx - b * np.exp(-a) * dy)
        g = np.exp(-(z1**2 + z2**2) / 2)
        return g / g.sum()
    sy, sx = gaussian[0], gaussian[-1]
    ry, rx = radii or (radius(sy, truncate), radius(sx, truncate))
    return np.outer(weights(sy, ry if sy > 0 else 0), weights(sx, rx if sx > 0 else 0))


def logchol(yy, yx, xx):
    u = np.linalg.cholesky(np.array([[yy, yx], [yx, xx]])).T
    return np.log(u[0, 0]), u[0, 1], np.log(u[1, 1])


def _pad(x, n, mode, cval):
    widths = ((n, n), (n, n)) + ((0, 0),) * (x.ndim - 2)
    extra = {"constant_values": cval} if mode == "constant" else {}
    return np.pad(x, widths, PAD[mode], **extra)


def gather(x, field, mode="reflect", cval=0.0, **options):
    """field: (k,) for a uniform blur, or (k, H, W)."""
    x = np.asarray(x, float)
    field = np.asarray(field, float)
    if field.ndim == 1:
        field = np.broadcast_to(field[:, None, None], (len(field), *x.shape[:2]))
    height, width = x.shape[:2]
    kernels = [[kernel(tuple(field[:, y, j]), **options) for j in range(width)]
               for y in range(height)]
    n = max(max(k.shape) for row in kernels for k in row) // 2
    padded = _pad(x, n, mode, cval)
    out = np.empty_like(x)
    for y in range(height):
        for j in range(width):
            k = kernels[y][j]
            ry, rx = k.shape[0] // 2, k.shape[1] // 2
            window = padded[y + n - ry:y + n + ry + 1, j + n - rx:j + n + rx + 1]
            out[y, j] = np.tensordot(k, window, 2)
    return out


def scatter(x, field, mode="reflect", cval=0.0, **options):
    """Sigma fields only, (1 | 2, H, W)."""
    x = np.asarray(x, float)
    field = np.asarray(field, float)
    height, width = x.shape[:2]
    n = max(kernel(tuple(field[:, y, j]), **options).shape[0] // 2
            for y in range(height) for j in range(width))
    source = _pad(x, n, mode, cval)
    widths = _pad(np.moveaxis(field, 0, -1), n, "nearest" if mode == "constant" else mode, 0)
    plane = np.zeros((height + 4 * n, width + 4 * n, *x.shape[2:]))
    for y in range(height + 2 * n):
        for j in range(width + 2 * n):
            k = kernel(tuple(widths[y, j]), **options)
            ry, rx = k.shape[0] // 2, k.shape[1] // 2
            spread = k.reshape(k.shape + (1,) * (x.ndim - 2)) * source[y, j]
            plane[y + n - ry:y + n + ry + 1, j + n - rx:j + n + rx + 1] += spread
    return plane[2 * n:2 * n + height, 2 * n:2 * n + width]


def _dilate(taps, dilation):
    spread = np.zeros([d * (n - 1) + 1 for n, d in zip(taps.shape, dilation)])
    spread[::dilation[0], ::dilation[1]] = taps
    return spread


def correlate(x, taps, mode="reflect", cval=0.0, output="same", stride=(1, 1), dilation=(1, 1),
              convolve=False):
    """out(o) = sum of taps(i) x(o stride + (i - anchor) dilation), or - for a convolution."""
    x = np.asarray(x, float)
    anchor = [n // 2 * d for n, d in zip(np.shape(taps), dilation)]
    taps = _dilate(np.asarray(taps, float), dilation)
    if convolve:
        taps = taps[::-1, ::-1]
        anchor = [n - 1 - a for n, a in zip(taps.shape, anchor)]
    widths = [{"same": (a, n - 1 - a), "full": (n - 1, n - 1), "valid": (0, 0)}[output]
              for n, a in zip(taps.shape, anchor)]
    extra = {"constant_values": cval} if mode == "constant" else {}
    padded = np.pad(x, [*widths, *[(0, 0)] * (x.ndim - 2)], PAD[mode], **extra)
    windows = np.lib.stride_tricks.sliding_window_view(padded, taps.shape, (0, 1))
    return np.einsum("...ij,ij->...", windows, taps)[::stride[0], ::stride[1]]
