"""The differential tester: run two kernels, compare what they compute."""
