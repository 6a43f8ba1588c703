"""Actors: functions as event-sourced actors, their execution environments, the Runtime API, the engine."""
