"""CUDA text -> what crossport knows about it: kernels, launch sites, places, thread IR."""
