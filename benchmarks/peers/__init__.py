"""One program a peer, each run in a process of its own; `harness` is what they share (numpy and standard library)."""
