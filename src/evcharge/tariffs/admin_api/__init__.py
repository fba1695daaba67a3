"""Tariffs for programs: what `admin.py` does for people."""

from evcharge.tariffs.admin_api.operations import api

__all__ = ["api"]
