"""Deployment packages: checked, unpacked once per content, merged."""
