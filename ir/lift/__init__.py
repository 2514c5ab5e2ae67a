"""From thread IR to programs over many lanes: flattening, uniformity, and lifting to tiles."""
