"""Tile IR -> standalone Pallas modules for TPU."""
