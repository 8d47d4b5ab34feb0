"""How many threads the arithmetic of a take may use: one."""

from __future__ import annotations

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
