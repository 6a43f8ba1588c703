"""CloudWatch Logs' own notions: pages of events, and filter patterns."""
