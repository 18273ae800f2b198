"""Physics inside: composable last layers that act on raw inputs and raw outputs of an emulator."""
