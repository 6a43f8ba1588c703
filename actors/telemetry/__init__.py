"""The Telemetry and Logs APIs' deliveries to the extensions that have subscribed."""
