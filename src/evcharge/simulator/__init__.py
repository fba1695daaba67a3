"""Chargers made of software: they speak OCPP to a server as real ones would."""
