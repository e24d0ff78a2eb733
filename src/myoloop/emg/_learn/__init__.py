"""The forward model in JAX, differentiable in the parameters of units."""
