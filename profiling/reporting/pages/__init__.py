"""Pages of the report: one module a page kind, each turning the masked run into what its template prints."""
