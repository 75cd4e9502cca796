"""Reporting: disclosure control, charts, pages, downloads and publication. Reads only the store, never the model."""
