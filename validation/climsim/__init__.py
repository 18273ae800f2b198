"""Offline verdict on ClimSim emulators: metrics, intervals, figures, published values, report."""
