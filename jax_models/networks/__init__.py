"""Networks, one architecture a file; each takes normalised features and gives normalised targets."""
