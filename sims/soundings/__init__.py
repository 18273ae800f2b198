"""Columns for the convection scheme without a weather model: soundings labelled by the scheme."""
