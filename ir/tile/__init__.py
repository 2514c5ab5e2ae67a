"""Tile programs: what a kernel computes, freed from the shape of its thread blocks."""
