"""Cluster points by average linkage (UPGMA): few enough to hold all distances."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Distances = npt.NDArray[np.float32]
"""(n, n) float32, symmetric."""


def average_link(distances: Distances, threshold: float) -> list[list[int]]:
    """
    Merge the two clusters with the smallest mean distance until that exceeds the threshold.

    Returns the indices of each cluster, the cluster of the first one first.

    Takes n merges of n steps each; ties go to the lower indices, so that equal input gives equal
    clusters.
    """
    count = len(distances)
    between = distances.astype(np.float64)
    np.fill_diagonal(between, np.inf)
    members = {index: [index] for index in range(count)}
    nearest = between.argmin(axis=1) if count else np.empty(0, dtype=int)
    while len(members) > 1:
        alive = sorted(members)
        first = min(alive, key=lambda index: (between[index, nearest[index]], index))
        second = int(nearest[first])
        if between[first, second] > threshold:
            break
        first, second = min(first, second), max(first, second)
        sizes = len(members[first]), len(members[second])
        mean = (sizes[0] * between[first] + sizes[1] * between[second]) / sum(sizes)
        between[first], between[:, first] = mean, mean
        between[first, first] = np.inf
        between[second], between[:, second] = np.inf, np.inf
        members[first] += members.pop(second)
        # Average linkage never makes a cluster nearer than both parts were, so only those whose
        # nearest changed look again.
        for index in members:
            if index == first or nearest[index] in (first, second):
                nearest[index] = between[index].argmin()
    return sorted((sorted(cluster) for cluster in members.values()), key=lambda cluster: cluster[0])
