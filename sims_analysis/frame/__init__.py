"""Between data and kernels: arguments are read, kernels run, answers get units and coordinates."""
