"""Each promise of speed as a ratio against a floor that is measured in the same run: see README.md beside this file."""
