"""The entries of a lower-triangular matrix as a vector, for every algorithm with a quadratic advantage."""


def triangle_indices(action_size: int) -> tuple[list[int], list[int]]:
    """Row and column of each entry of the triangle vector: diagonal first, then below it by rows."""
    below = [(i, j) for i in range(action_size) for j in range(i)]
    diagonal = list(range(action_size))
    return diagonal + [i for i, _ in below], diagonal + [j for _, j in below]
