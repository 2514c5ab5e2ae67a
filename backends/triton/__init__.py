"""Tile IR -> standalone Triton modules."""
