"""The one door: data and arguments in, kernels run, answers dressed."""
