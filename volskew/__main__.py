"""``python -m volskew``: the same program as ``volskew``."""

from volskew.cli import main

if __name__ == "__main__":
    main()
