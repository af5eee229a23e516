"""cocotb benches and their runner. Imports numpy and cocotb only: vectors come from an .npz."""
