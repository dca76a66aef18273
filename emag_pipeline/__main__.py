"""`python -m emag_pipeline`: the same as the command `emag-pipeline`."""

from emag_pipeline.cli import main

if __name__ == "__main__":
    main()
