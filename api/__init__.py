"""The HTTP front end, its model-driven wire layer, settings and the command line."""
