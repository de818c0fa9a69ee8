"""How fast is helpers.convolution, as ratios? Run: python tests/benchmark_convolution.py."""

import time
from collections.abc import Callable

import numpy as np
import scipy.signal

import helpers  # noqa: F401  (switches oneDNN on before TensorFlow loads)
from helpers.convolution import KERNELS, conv2d, correlate2d
from helpers.images import ascent


def ratio(ours: Callable, theirs: Callable, *, rounds: int = 25) -> tuple[float, float, float]:
    """Return the ratio of the medians and both medians in ms, measured in turns."""
    seconds: tuple[list, list] = ([], [])
    for _ in range(rounds):
        for function, times in zip((ours, theirs), seconds, strict=True):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    a, b = (1000 * float(np.median(times[2:])) for times in seconds)  # the first two warm up
    return a / b, a, b


def main() -> None:
    picture, kernel = ascent(), KERNELS["Sobel (vertical edges)"]
    print("ascent, 3 by 3: helpers.convolution.correlate2d / scipy.signal.correlate2d")
    result = ratio(
        lambda: correlate2d(picture, kernel),
        lambda: scipy.signal.correlate2d(picture, kernel, mode="valid"),
    )
    print("  ratio {:.2f}  ({:.1f} ms / {:.1f} ms), wanted: at most 1".format(*result))

    import keras

    rng = np.random.default_rng(0)
    image = rng.random((600, 600, 3), dtype=np.float32)
    layer = keras.layers.Conv2D(16, 3, use_bias=False)
    layer.build((None, *image.shape))
    [kernels] = layer.get_weights()
    print("An image of 600 x 600 x 3, 16 filters: helpers.convolution.conv2d / Keras Conv2D")
    result = ratio(
        lambda: conv2d(image, kernels),
        lambda: keras.ops.convert_to_numpy(layer(image[None])),
    )
    print("  ratio {:.2f}  ({:.1f} ms / {:.1f} ms), wanted: at most 4".format(*result))


if __name__ == "__main__":
    main()
