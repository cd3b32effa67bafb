"""Virtual time: the stage kernels and the local exchange's kernels in one nopython loop on event time."""
