"""How many threads the arithmetic of a take may use: one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache


@lru_cache(maxsize=1)
def one_blas_thread() -> None:
    """Puts the matrix library of numpy and scipy on one thread, for the rest of the process.

    Its products here are small. Other threads that help with them wait for the next one at full
    load: on two busy cores cleaning then takes four times the processor time, and its last bits
    depend on the number of cores. Takes run side by side instead.
    """
    # Both have their own copy, and only a loaded one can be told.
    import scipy.linalg  # noqa: F401
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Lets torch use some threads for a while (0: as many as it does), and sets it back.

    Steps as small as those of a recurrent layer lose more to meeting than they gain: one thread.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
