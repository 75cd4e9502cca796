"""Names of files that every edition has."""

TIMINGS = "timings.json"
MANIFEST = "manifest.json"
