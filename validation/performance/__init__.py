"""How fast the original ran, and a port where it can be run, against the roof of the device."""
