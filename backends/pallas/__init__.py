"""From flat programs to JAX: Pallas kernels (tier `tile`) and whole-grid jax.numpy (tier `xla`)."""
