"""Keras: Adam on all samples, from given weights."""

from __future__ import annotations

import json
import os
import sys

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np


def main() -> None:
    """Print the weights after the steps, and the predictions of the held-out samples."""
    arrays, epochs = dict(np.load(sys.argv[1])), int(sys.argv[2])
    x, t = arrays["x"], arrays["t"]
    m, e = arrays["W_h"].shape
    keras.backend.set_floatx("float64")
    model = keras.Sequential(
        [keras.Input((e,)), keras.layers.Dense(m, activation="tanh"), keras.layers.Dense(1)]
    )
    model.set_weights([arrays["W_h"].T, arrays["b_h"], arrays["W_y"].T, arrays["b_y"]])
    model.compile(optimizer=keras.optimizers.Adam(learning_rate=0.01), loss="mse")
    model.fit(x, t, batch_size=len(x), epochs=epochs, shuffle=False, verbose=0)

    W_h, b_h, W_y, b_y = model.get_weights()
    theta = np.concatenate([W_h.T.ravel(), b_h, W_y.T.ravel(), b_y]).tolist()
    predictions = np.asarray(model.predict(arrays["x_new"], verbose=0)).ravel().tolist()
    tool = f"Keras {keras.__version__} on {keras.backend.backend()}"
    print(json.dumps({"tool": tool, "theta": theta, "predictions": predictions}))


if __name__ == "__main__":
    main()
