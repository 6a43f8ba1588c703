"""AWS's wire protocol, driven by botocore's service model: routing, parsing, validation, serialisation."""
