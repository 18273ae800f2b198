"""Multiple linear regression, solved, not descended: ridge with a vanishing penalty on z-scored inputs."""

import jax.numpy as jnp
import numpy as np
from flax import nnx


class Linear(nnx.Module):
    """y = x W + b."""

    def __init__(self, n_in: int, n_out: int, *, rngs: nnx.Rngs):
        self.kernel = nnx.Param(jnp.zeros((n_in, n_out), jnp.float32))
        self.bias = nnx.Param(jnp.zeros(n_out, jnp.float32))

    def __call__(self, x, *, key=None):
        return x @ self.kernel[...] + self.bias[...][None]

    def solve(self, x: np.ndarray, y: np.ndarray, *, penalty: float = 1e-6) -> None:
        """Least squares of y (n, n_out) on x (n, n_in), both in network units, in float64.

        `penalty`: added to the mean square of each input, against collinear levels.
        """
        x, y = x.astype(np.float64), y.astype(np.float64)
        centre, middle = x.mean(0), y.mean(0)
        x = x - centre
        gram = x.T @ x / len(x) + penalty * np.eye(x.shape[1])
        kernel = np.linalg.solve(gram, x.T @ (y - middle) / len(x))
        self.kernel[...] = jnp.asarray(kernel, jnp.float32)
        self.bias[...] = jnp.asarray(middle - centre @ kernel, jnp.float32)
