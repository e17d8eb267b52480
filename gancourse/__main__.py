"""``python -m gancourse`` is the ``gancourse`` command; launchers of several processes need it."""

from gancourse.cli import main

if __name__ == "__main__":
    main()
