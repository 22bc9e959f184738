"""Batches whose calls are made by other processes: any `concurrent.futures.Executor`, or a Dask cluster."""
