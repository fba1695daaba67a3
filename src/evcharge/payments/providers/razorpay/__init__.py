"""Razorpay: payment links on their own page, and refunds."""

from evcharge.payments.providers.razorpay.provider import Razorpay

__all__ = ["Razorpay"]
