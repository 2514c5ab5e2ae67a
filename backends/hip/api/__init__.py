"""CUDA's API names and what they are called in HIP: rules, and rows for the exceptions."""
