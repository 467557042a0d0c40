"""`python -m isthmus`: the command."""

from isthmus.cli.main import main

if __name__ == "__main__":  # workers import this module, too
    main()
