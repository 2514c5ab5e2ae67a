"""The thread IR: what one CUDA thread does, as frozen values with C semantics."""
