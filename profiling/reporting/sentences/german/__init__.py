"""The catalogue in German, a module for each of `texts` with the same keys; the words of levels and definitions."""
