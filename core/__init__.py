"""Decisions without Odoo: frozen values in, decisions out. Standard library only."""
