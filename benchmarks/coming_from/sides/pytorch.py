"""PyTorch: Adam on all samples, from given weights."""

from __future__ import annotations

import json
import sys

import numpy as np
import torch


def main() -> None:
    """Print the weights after the steps, and the predictions of the held-out samples."""
    arrays = {name: torch.from_numpy(array) for name, array in np.load(sys.argv[1]).items()}
    epochs = int(sys.argv[2])
    x, t = arrays["x"], arrays["t"]
    m, e = arrays["W_h"].shape
    layers = torch.nn.Linear(e, m), torch.nn.Tanh(), torch.nn.Linear(m, 1)
    model = torch.nn.Sequential(*layers).double()
    with torch.no_grad():
        for parameter, name in zip(model.parameters(), ("W_h", "b_h", "W_y", "b_y"), strict=True):
            parameter.copy_(arrays[name])

    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(epochs):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(model(x), t)
        loss.backward()
        optimizer.step()

    with torch.no_grad():
        predictions = model(arrays["x_new"]).numpy().ravel().tolist()
    theta = torch.cat([parameter.detach().ravel() for parameter in model.parameters()]).tolist()
    print(
        json.dumps(
            {"tool": f"PyTorch {torch.__version__}", "theta": theta, "predictions": predictions}
        )
    )


if __name__ == "__main__":
    main()
