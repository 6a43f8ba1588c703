"""The Runtime API and its siblings, as runtimes and extensions in containers speak them."""
