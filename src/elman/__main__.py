"""`python -m elman` is the same as `elman`."""

from elman.interfaces import main

main()
