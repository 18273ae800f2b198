"""Readers and writers of column data: raw ClimSim pairs, the packed store, npy, Kaggle CSV, mock data."""
