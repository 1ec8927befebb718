"""Decisions without Odoo: frozen values in, decisions out.

Standard library only, but for the solver of assignments (``flow``, ``packing``).
"""
