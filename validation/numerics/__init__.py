"""How two runs are compared: classes of values, error in units, the layers, the words."""
